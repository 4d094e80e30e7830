"""The one page: who you are, where you are, and SimCord's own preview of that, on one loopback address.

SimCord serves a preview of one channel on a port of its own, behind a secret, and forbids frames. This server keeps the
secrets, gives each frame the preview of one person in one place, and passes everything through, with two differences:
actions go to SimCord one at a time, and an action that was overtaken by news is sent again, as Discord would take it.
"""

import contextlib
import io
import json
import logging
import re
import secrets
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp
import simcord
from aiohttp import web
from aiohttp.typedefs import Handler
from PIL import Image
from yarl import URL

from sandbox.stage import Stage
from sandbox.training_pictures import SETS
from sandbox.world import Person, Place, World

_log = logging.getLogger(__name__)

PORT = 8765
HINTS = (
    "Type /imagine and a sentence, then Enter.",
    "Press a button below the picture, or right-click its message.",
    "Ask for 4 pictures; decide as Mia in #review.",
    "Restart the bot meanwhile: nothing is lost.",
    "Older ones: /history, then /show.",
    "Register: the button below a picture; Submit; approve it as Mia; follow its card's link.",
    "Prove a wallet: /wallet link, and Wallets below.",
    "Train: /finetune create, name Teapot, kind product, teapot.zip; start; say yes as Mia.",
)
_STATIC = Path(__file__).with_name("static")
_BODY = 27 * 1024**2  # bytes; SimCord takes 26 MiB
_KEPT = ("Content-Type", "Content-Disposition", "Cache-Control", "X-Content-Type-Options", "Referrer-Policy")
_PICTURES = {"image/png", "image/jpeg", "image/webp"}
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self' blob:; "
    "img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
)
# What an action was aimed at. Neither occurs in what a person typed: there the quotes are escaped.
_REVISION = re.compile(rb'"published_revision":\d+')
_GENERATION = re.compile(rb'"bot_generation":\d+')


@dataclass(frozen=True)
class Link:
    """Another page worth knowing, shown at the side."""

    title: str
    url: str


@dataclass(frozen=True)
class _Seat:
    """One person in one place: what one frame shows."""

    person: Person
    place: Place
    preview: simcord.Preview


@dataclass(frozen=True)
class _Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Page:
    """The server behind the one link."""

    def __init__(
        self, world: World, stage: Stage, seats: dict[str, _Seat], *, links: Sequence[Link], hints: Sequence[str]
    ) -> None:
        self.links = list(links)
        self.url = URL()
        self._world = world
        self._stage = stage
        self._seats = seats
        self._hints = list(hints)
        self._run = secrets.token_hex(8)  # tells a page that stayed open that everything else is new
        self._http: aiohttp.ClientSession

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, world: World, stage: Stage, *, port: int = PORT, links: Sequence[Link] = (), hints: Sequence[str] = HINTS
    ) -> AsyncGenerator["Page"]:
        """Serve the page on `port` of the loopback interface (0: any that is free) until the block ends.

        Raises:
            OSError: another program has the port.
        """
        async with contextlib.AsyncExitStack() as stack:
            seats: dict[str, _Seat] = {}
            for place in world.places:
                preview = await stack.enter_async_context(world.preview(place))
                seats |= {f"{person.key}.{place.key}": _Seat(person, place, preview) for person in place.people}
            page = cls(world, stage, seats, links=links, hints=hints)
            # SimCord answers an action when the bot is done with it, so there is no time limit here.
            page._http = await stack.enter_async_context(
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
            )
            runner = web.AppRunner(page.app(), access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", port).start()
            page.url = URL.build(scheme="http", host="127.0.0.1", port=runner.addresses[0][1], path="/")
            yield page

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_BODY, middlewares=[self._from_here_only])
        app.router.add_get("/", self._static(_STATIC / "page.html"))
        app.router.add_get("/sandbox/page.css", self._static(_STATIC / "page.css"))
        app.router.add_get("/sandbox/page.js", self._static(_STATIC / "page.js"))
        app.router.add_get("/sandbox/frame.css", self._static(_STATIC / "frame.css"))
        app.router.add_get("/sandbox/state", self._state)
        app.router.add_post("/sandbox/restart", self._restart)
        app.router.add_post("/sandbox/menu", self._choose)
        app.router.add_post("/sandbox/post", self._post)
        for each in SETS:
            app.router.add_get(f"/sandbox/{each.archive.name}", self._static(each.archive))
        app.router.add_get("/discord", self._frame)
        app.router.add_post("/api/pages", self._sit_down)
        app.router.add_post("/api/action", self._act)
        app.router.add_get("/api/assets/{asset}", self._picture)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        return app

    @web.middleware
    async def _from_here_only(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer our own page only: the link has no secret, so other sites in the same browser must not get through."""
        here = {f"{host}:{self.url.port}" for host in ("127.0.0.1", "localhost")}
        origin = request.headers.get("Origin")
        if request.host not in here or (origin and origin not in {f"http://{host}" for host in here}):
            raise web.HTTPForbidden
        response = await handler(request)
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    def _static(self, path: Path) -> Handler:
        async def serve_file(_: web.Request) -> web.StreamResponse:
            return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

        return serve_file

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "run": self._run,
                "guild": {"name": self._world.guild.name, "id": str(self._world.guild.id)},
                "bot": self._stage.state,
                "trouble": self._stage.trouble,
                "people": [
                    {
                        "key": person.key,
                        "name": person.name,
                        "title": person.title,
                        "about": person.about,
                        "places": {
                            seat.place.key: {"menu": self._world.menu(person, seat.place)}
                            for seat in self._seats.values()
                            if seat.person is person
                        },
                    }
                    for person in self._world.people
                ],
                "places": [
                    {"key": place.key, "id": str(place.channel.id), "newest": str(self._world.newest(place))}
                    for place in self._world.places
                ],
                "links": [{"title": link.title, "url": link.url} for link in self.links],
                "hints": self._hints,
                "sets": [{"key": each.key, "title": each.title, "archive": each.archive.name} for each in SETS],
            }
        )

    async def _restart(self, _: web.Request) -> web.Response:
        try:
            await self._stage.restart()
        except Exception:
            _log.info("The restart failed: %s", self._stage.trouble)
        return web.json_response({"bot": self._stage.state, "trouble": self._stage.trouble})

    async def _choose(self, request: web.Request) -> web.Response:
        """An entry of a message's menu was chosen."""
        seat, asked = self._seat(request), await request.json()
        context = request.headers.get("X-Simcord-Context", "")
        try:
            answered = await self._world.choose(
                seat.preview, context, seat.person, seat.place, asked["name"], int(asked["message"])
            )
        except (LookupError, TimeoutError, simcord.SetupError) as error:
            _log.info("The menu did not work: %s", error)
            answered = False
        return web.json_response({"answered": answered})

    async def _post(self, request: web.Request) -> web.Response:
        """A set of training pictures, as a message of the person whose frame is shown."""
        seat, asked = self._seat(request), await request.json()
        chosen = next((each for each in SETS if each.key == asked["set"]), None)
        if chosen is None:
            raise web.HTTPNotFound
        files = [(path.name, path.read_bytes()) for path in chosen.pictures()]
        await self._world.post(seat.person, seat.place, files)
        return web.json_response({"posted": len(files)})

    async def _frame(self, request: web.Request) -> web.Response:
        """SimCord's page without its workbench, which `frame.css` hides."""
        reply = await self._ask(request, path="/")
        ours = b'<link rel="stylesheet" href="/sandbox/frame.css"></head>'
        return web.Response(body=reply.body.replace(b"</head>", ours), headers=reply.headers)

    async def _sit_down(self, request: web.Request) -> web.Response:
        seat = self._seat(request)
        body = json.dumps({"viewer_id": str(seat.person.actor.id)}).encode()
        return _response(await self._ask(request, body=body))

    async def _act(self, request: web.Request) -> web.Response:
        """Do what the person did, even if the page or the bot is newer by now: Discord looks at the message only."""
        body = await request.read()
        async with self._world.turn(self._seat(request).preview):
            reply = await self._ask(request, body=body)
            if _is_overtaken(reply):
                state = json.loads((await self._ask(request, method="GET", path="/api/state")).body)
                body = _REVISION.sub(b'"published_revision":%d' % state["publishedRevision"], body, count=1)
                body = _GENERATION.sub(b'"bot_generation":%d' % state["botGeneration"], body, count=1)
                reply = await self._ask(request, body=body)
        return _response(reply)

    async def _picture(self, request: web.Request) -> web.Response:
        """Show a picture's own bytes.

        SimCord decodes each in a process of its own, one after the other (150 to 450 ms), and gives up those that wait
        for more than 30 seconds: a channel full of pictures never loads, and what loads counts twice in its memory.
        """
        if request.query_string:
            return await self._pass_on(request)
        reply = await self._ask(request, path=f"{request.path}?download=1")
        if reply.status != 200 or reply.headers.get("Content-Type") not in _PICTURES:
            return await self._pass_on(request)
        try:
            with Image.open(io.BytesIO(reply.body)) as picture:
                width, height = picture.size
        except OSError:
            return await self._pass_on(request)
        size = {"X-Display-Width": str(width), "X-Display-Height": str(height)}
        return web.Response(body=reply.body, headers={**reply.headers, **size, "Content-Disposition": "inline"})

    async def _pass_on(self, request: web.Request) -> web.Response:
        return _response(await self._ask(request, body=await request.read()))

    async def _ask(
        self, request: web.Request, *, method: str | None = None, path: str | None = None, body: bytes = b""
    ) -> _Reply:
        """Ask SimCord, as the person in the frame that asks us."""
        seat = self._seats.get(request.headers.get("X-Simcord-Capability", ""))
        preview = (seat or next(iter(self._seats.values()))).preview
        url = URL(preview.url)
        headers = {
            name: request.headers[name] for name in ("Content-Type", "X-Simcord-Context") if name in request.headers
        }
        if seat:
            headers["X-Simcord-Capability"] = url.fragment
        target = url.origin().join(URL(path or request.path_qs))
        async with self._http.request(
            method or request.method, target, headers=headers, data=io.BytesIO(body)
        ) as answer:
            kept = {
                name: value for name, value in answer.headers.items() if name in _KEPT or name.startswith("X-Simcord")
            }
            if request.path.startswith(("/fonts/", "/vendor/")):  # megabytes, and their names carry their version
                kept["Cache-Control"] = "private, max-age=31536000, immutable"
            return _Reply(answer.status, kept, await answer.read())

    def _seat(self, request: web.Request) -> _Seat:
        try:
            return self._seats[request.headers["X-Simcord-Capability"]]
        except KeyError:
            raise web.HTTPUnauthorized from None


def _response(reply: _Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)


def _is_overtaken(reply: _Reply) -> bool:
    """Whether SimCord refused an action only because the frame did not show the newest messages yet."""
    if reply.status != 200:
        return False
    receipt = cast("dict[str, Any]", json.loads(reply.body))
    codes = {diagnostic.get("code") for diagnostic in receipt.get("diagnostics", [])}
    return bool(receipt.get("rejected")) and not codes.isdisjoint({"stale-revision", "stale-generation"})
