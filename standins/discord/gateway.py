"""The gateway: sessions that are identified, fed, cut off and resumed."""

from __future__ import annotations

import asyncio
import json
import secrets
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from standins.base.faults import Fault, take_inside
from standins.discord.faults import Disconnect
from standins.discord.state import Guild, Json
from standins.discord.world import World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 0, 1, 2, 6, 7, 9, 10, 11
GUILDS = 1 << 0  # the intent
SESSION_ENDING = frozenset({1000, 1001, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014})


@dataclass(frozen=True, slots=True)
class _Close:
    code: int | None  # None: no goodbye, the connection is cut


class _Connection:
    """One socket. Payloads are queued and leave in order; the caller does not wait."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, *, zlib_stream: bool) -> None:
        self.socket = socket
        self._request = request
        self._compressor = zlib.compressobj() if zlib_stream else None
        self._outgoing: asyncio.Queue[str | _Close] = asyncio.Queue()

    def put(self, what: str | _Close) -> None:
        self._outgoing.put_nowait(what)

    async def write(self) -> None:
        while True:
            what = await self._outgoing.get()
            try:
                if isinstance(what, str):
                    await self._send(what)
                    continue
                if what.code is None and self._request.transport:
                    self._request.transport.abort()
                elif what.code is not None:
                    await self.socket.close(code=what.code)
            except ConnectionError:
                pass  # the other side left first; a session keeps what it missed
            return

    async def _send(self, text: str) -> None:
        if self._compressor:
            packed = self._compressor.compress(text.encode()) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
            await self.socket.send_bytes(packed)
        else:
            await self.socket.send_str(text)


@dataclass(eq=False, slots=True)
class Session:
    id: str
    shard: int
    shards: int
    intents: int
    connection: _Connection | None
    sequence: int = 0
    resumed: int = 0  # times
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque[tuple[int, str]](maxlen=2000))

    def sees(self, guild: Guild | None) -> bool:
        return (guild.id >> 22) % self.shards == self.shard if guild else self.shard == 0

    def put(self, what: str | _Close) -> None:
        if self.connection:
            self.connection.put(what)

    def record(self, event: str, data: Any) -> str:
        self.sequence += 1
        text = json.dumps({"op": DISPATCH, "t": event, "s": self.sequence, "d": data})
        self.sent.append((self.sequence, text))
        return text


class Gateway:
    def __init__(
        self, world: World, faults: list[Fault], *, token: str | None, compression: bool, heartbeat: float
    ) -> None:
        self._world, self._faults, self._token = world, faults, token
        self._compression, self._heartbeat = compression, heartbeat
        self.sessions: dict[str, Session] = {}
        self.identified = 0  # times
        self.resumed = 0  # times
        self._connections: set[_Connection] = set()

    @property
    def connected(self) -> list[Session]:
        """The sessions that have a socket at this moment."""
        return [each for each in self.sessions.values() if each.connection]

    def dispatch(self, event: str, data: Any, guild: Guild | None) -> int:
        """Send an event to every session of the guild's shard. A session without a socket gets it when it resumes."""
        reached = 0
        for session in list(self.sessions.values()):
            if session.sees(guild):
                self._put(session, event, data)
                reached += 1
        return reached

    def _put(self, session: Session, event: str, data: Any) -> None:
        text = session.record(event, data)
        if disconnect := take_inside(self._faults, f"gateway.{event}", Disconnect):
            self._cut(session, disconnect.code)
        else:
            session.put(text)

    # Trouble.

    def disconnect(self, code: int | None = 4000) -> None:
        """Close every socket; with None it is cut without a goodbye. Sessions stay, if the code lets them."""
        for session in self.connected:
            self._cut(session, code)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9 to everybody. Not resumable: the sessions are gone, and with them what they missed."""
        for session in self.connected:
            session.put(json.dumps({"op": INVALID_SESSION, "d": resumable}))
            if not resumable:
                del self.sessions[session.id]
                session.connection = None

    def ask_to_reconnect(self) -> None:
        """Op 7 to everybody."""
        for session in self.connected:
            session.put(json.dumps({"op": RECONNECT, "d": None}))

    def forget(self) -> None:
        """Lose every session that has no socket: their RESUME will be answered by op 9."""
        self.sessions = {each.id: each for each in self.connected}

    def _cut(self, session: Session, code: int | None) -> None:
        session.put(_Close(code))
        session.connection = None
        if code in SESSION_ENDING:
            del self.sessions[session.id]
        self._world.changed()

    async def close(self) -> None:
        for connection in list(self._connections):
            await connection.socket.close(code=WSCloseCode.GOING_AWAY)

    # The conversation.

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=4096, timeout=1, compress=False)
        await socket.prepare(request)
        packed = self._compression and request.query.get("compress") == "zlib-stream"
        connection = _Connection(socket, request, zlib_stream=packed)
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write())
        connection.put(json.dumps({"op": HELLO, "d": {"heartbeat_interval": int(self._heartbeat * 1000)}}))
        session: Session | None = None
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    session = self._hear(connection, session, json.loads(message.data))
        finally:
            writer.cancel()
            self._connections.discard(connection)
            if session and session.connection is connection:
                session.connection = None
                if socket.close_code in {1000, 1001}:  # the bot said goodbye
                    self.sessions.pop(session.id, None)
                self._world.changed()
        return socket

    def _hear(self, connection: _Connection, session: Session | None, message: Json) -> Session | None:
        match message["op"]:
            case 1:
                connection.put(json.dumps({"op": HEARTBEAT_ACK}))
            case 2:
                return self._identify(connection, message["d"])
            case 6:
                return self._resume(connection, message["d"])
            case _:
                pass  # presence and the like change nothing here
        return session

    def _identify(self, connection: _Connection, payload: Json) -> Session | None:
        if self._token is not None and payload["token"] != self._token:
            connection.put(_Close(4004))
            return None
        shard, shards = payload.get("shard") or (0, 1)
        if not 0 <= shard < shards:
            connection.put(_Close(4010))
            return None
        session = Session(secrets.token_hex(16), shard, shards, int(payload["intents"]), connection)
        self.sessions[session.id] = session
        self.identified += 1
        guilds = [each for each in self._world.guilds.values() if session.sees(each)]
        me = self._world.bot
        ready: Json = {
            "v": 10,
            "user": me.payload() | {"verified": True, "mfa_enabled": False, "flags": 0},
            "guilds": [{"id": str(each.id), "unavailable": True} for each in guilds],
            "session_id": session.id,
            "resume_gateway_url": f"{self._world.origin.replace('http', 'ws', 1)}/gateway/",
            "shard": [shard, shards],
            "application": {"id": str(me.id), "flags": 0},
        }
        self._put(session, "READY", ready)
        for guild in guilds if session.intents & GUILDS else ():
            self._put(session, "GUILD_CREATE", guild.event(me))
        self._world.changed()
        return session

    def _resume(self, connection: _Connection, payload: Json) -> Session | None:
        session = self.sessions.get(payload["session_id"])
        seen: int = payload["seq"] or 0
        if not session or (session.sent and seen < session.sent[0][0] - 1):
            connection.put(json.dumps({"op": INVALID_SESSION, "d": False}))
            return None
        session.connection = connection
        for sequence, text in session.sent:
            if sequence > seen:
                connection.put(text)
        session.resumed += 1
        self.resumed += 1
        self._put(session, "RESUMED", {})
        self._world.changed()
        return session
