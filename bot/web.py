"""The bot's own HTTP server, only where PUBLIC_URL is set, behind the admin's reverse proxy: providers call back here.

The page of `/wallet link` is served beside that (bot/wallet_page/).

What is posted here is never believed. A call whose address is right wakes the job that the address was made for, and
the job asks the provider itself; a call that comes twice, late or for nothing costs one question. Its address, which
nobody can guess (bot/workflows/base/callbacks.py), says who calls. Where BFL sends a secret or a signature, that is
checked too: three dialects of BFL's callbacks have been seen, and one of them carries neither.
"""

import asyncio
import contextlib
import hashlib
import hmac
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.errors import MachineTrouble
from bot.providers.trainer_entries import LABELS
from bot.wallet_page.serving import WalletPage
from bot.workflows.base.callbacks import PATH, Callbacks

log = logging.getLogger(__name__)

LARGEST_BODY = 256 * 1024
"""Bytes. A callback has some hundreds; whatever it says is not read further."""
READ_WITHIN = 10.0
"""Seconds for a whole body to arrive."""
AT_ONCE = 64
"""Calls that are read at a time; further ones wait, and a provider that does not is free to go."""
GAP = 1.0
"""Seconds in which a job is woken once, however often it is called back for."""
REMEMBERED = 10_000
"""Jobs whose last call is remembered for that."""

_ROUTE = PATH + r"/{provider:" + "|".join(LABELS) + r"}/{job_id:[0-9a-z]{1,20}-[0-9]{1,3}}/{token:[0-9a-f]{40}}"


class Web:
    """The server. It imports no Discord, and of a job it has the id only."""

    def __init__(
        self,
        callbacks: Callbacks,
        clock: Clock,
        *,
        read_within: float = READ_WITHIN,
        wallet_page: WalletPage | None = None,
    ) -> None:
        self._wallet_page = wallet_page
        self._callbacks = callbacks
        self._clock = clock
        self._read_within = read_within
        self._room = asyncio.Semaphore(AT_ONCE)
        self._woken: OrderedDict[str, float] = OrderedDict()

    @contextlib.asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncGenerator[int]:
        """Listen until the block ends; the port that is listened on, also where 0 stood for any.

        Raises:
            OSError: the port is taken.
        """
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_get("/health", _health)
        app.router.add_post(_ROUTE, self._called)
        if self._wallet_page:
            self._wallet_page.add_to(app)
        app.on_response_prepare.append(_hide_server)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=5, handle_signals=False)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            addresses: list[tuple[str, int]] = runner.addresses
            yield addresses[0][1]
        finally:
            await runner.cleanup()

    async def _called(self, request: web.Request) -> web.Response:
        provider, job_id = request.match_info["provider"], request.match_info["job_id"]
        if not self._callbacks.genuine(provider, job_id, request.match_info["token"]):
            raise web.HTTPNotFound
        async with self._room:
            try:
                async with asyncio.timeout(self._read_within):
                    body = await request.read()
            except TimeoutError as error:
                raise web.HTTPRequestTimeout from error
        if not self._vouched(request, provider, job_id, body):
            log.warning("A callback for %s came with a wrong secret, and was left alone.", job_id)
            raise web.HTTPNotFound
        if self._is_new(job_id):
            try:
                await self._callbacks.hints.give(job_id)
            except (SQLAlchemyError, MachineTrouble) as error:
                self._woken.pop(job_id, None)
                log.exception("A callback for %s could not be passed on.", job_id)
                raise web.HTTPServiceUnavailable from error
        return web.json_response({"ok": True})

    def _vouched(self, request: web.Request, provider: str, job_id: str, body: bytes) -> bool:
        """Whether what a call says of its sender is right; most say nothing, and then the address is all there is."""
        secret = self._callbacks.secret_of(provider, job_id)
        given, signature = request.headers.get("X-Webhook-Secret"), request.headers.get("X-BFL-Signature")
        if given is not None:
            return hmac.compare_digest(given.encode(errors="replace"), secret.encode())
        if signature is not None:
            right = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            return hmac.compare_digest(signature.encode(errors="replace"), right.encode())
        return True

    def _is_new(self, job_id: str) -> bool:
        """Whether this job was not woken just now."""
        now = self._clock.monotonic()
        if now - self._woken.get(job_id, now - 2 * GAP) < GAP:
            return False
        self._woken[job_id] = now
        self._woken.move_to_end(job_id)
        while len(self._woken) > REMEMBERED:
            self._woken.popitem(last=False)
        return True


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _hide_server(_request: web.Request, response: web.StreamResponse) -> None:
    """Hide the server's software and version."""
    response.headers["Server"] = "bot"
