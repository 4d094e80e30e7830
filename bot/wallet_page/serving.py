"""The page of `/wallet link`: it asks a member's wallet to sign, and takes the signature.

Its address holds the message's nonce, which nobody can guess and which is good once and for minutes; there is no other
secret in it. What is posted is believed only if it is the asked wallet's signature. Nothing of a third party is loaded.
"""

import asyncio
import html
from collections.abc import Awaitable, Callable
from pathlib import Path
from string import Template
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from bot.errors import Refused
from bot.values import Frozen
from bot.workflows.registering.wallets import PAGE, Wallets

LARGEST_BODY: Final = 16 * 1024
"""Bytes. A signature has 132 of them."""
READ_WITHIN: Final = 10.0
"""Seconds for a whole body to arrive."""
AT_ONCE: Final = 16
"""Signatures that are checked at a time; further ones wait."""

_FOLDER: Final = Path(__file__).parent
_ROUTE: Final = PAGE + r"/{user_id:[1-9][0-9]{0,18}}-{nonce:[0-9A-Za-z]{20}}"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class _Sent(Frozen):
    """What the page sends back."""

    signature: str


class WalletPage:
    """The routes of the page."""

    def __init__(self, wallets: Wallets, *, read_within: float = READ_WITHIN) -> None:
        self._wallets = wallets
        self._read_within = read_within
        self._room = asyncio.Semaphore(AT_ONCE)
        self._page = Template((_FOLDER / "page.html").read_text(encoding="utf-8"))
        self._over = Template((_FOLDER / "over.html").read_text(encoding="utf-8"))

    def add_to(self, app: web.Application) -> None:
        """Serve the page as a part of `app`."""
        for name, media_type in (("page.js", "text/javascript"), ("page.css", "text/css")):
            app.router.add_get(f"{PAGE}/{name}", _serve_file(_FOLDER / name, media_type))
        app.router.add_get(_ROUTE, self._show)
        app.router.add_post(_ROUTE, self._take)

    async def _show(self, request: web.Request) -> web.Response:
        user_id, nonce = _read_address(request)
        try:
            asked = await self._wallets.load_page(user_id, nonce)
        except Refused as error:
            return _html(self._over.substitute(reason=html.escape(_plain(error))), status=410)
        shown = {"address": asked.address, "message": asked.message}
        return _html(self._page.substitute({name: html.escape(value) for name, value in shown.items()}))

    async def _take(self, request: web.Request) -> web.Response:
        user_id, nonce = _read_address(request)
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise web.HTTPForbidden
        if request.content_type != "application/json":  # a form of another website cannot send this one
            raise web.HTTPUnsupportedMediaType
        try:
            await self._wallets.load_page(user_id, nonce)  # whoever does not know the address is not read further
            sent = await self._read(request)
            async with self._room:
                linked = await self._wallets.prove_on_page(user_id, nonce, sent.signature)
        except Refused as error:
            return _answer(_plain(error), linked=False)
        return _answer(
            f"{linked.wallet.address} is linked to your Discord account. You can close this page; /wallet show in "
            "Discord shows it.",
            linked=True,
        )

    async def _read(self, request: web.Request) -> _Sent:
        if (request.content_length or 0) > LARGEST_BODY:
            raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, request.content_length or 0)
        try:
            async with asyncio.timeout(self._read_within):
                body = await request.read()
        except TimeoutError as error:
            raise web.HTTPRequestTimeout from error
        if len(body) > LARGEST_BODY:
            raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, len(body))
        try:
            return _Sent.model_validate_json(body)
        except ValidationError as error:
            raise web.HTTPBadRequest from error


def _read_address(request: web.Request) -> tuple[int, str]:
    """The member and the nonce of the page's address."""
    user_id = int(request.match_info["user_id"])
    if user_id >= 2**63:
        raise web.HTTPNotFound
    return user_id, request.match_info["nonce"]


def _serve_file(path: Path, media_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    content = path.read_bytes()

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=content, content_type=media_type, charset="utf-8", headers=_HEADERS)

    return serve


def _html(text: str, *, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status, headers=_HEADERS)


def _answer(sentence: str, *, linked: bool) -> web.Response:
    return web.json_response({"linked": linked, "sentence": sentence}, headers=_HEADERS)


def _plain(error: Refused) -> str:
    """Discord's marks of code mean nothing on a page."""
    return str(error).replace("`", "")
