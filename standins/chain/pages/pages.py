"""Pages for people: an IP asset, a transaction, an address, as read from the chain.

What stands in metadata was written by anybody: it is escaped here, and the page's own script puts it in as text.
"""

import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from standins.chain.ledger.chain import Chain
from standins.chain.node.shown import text
from standins.chain.pages import reading
from standins.chain.pages.licences import Licence
from standins.chain.pages.reading import Asset, Holding, Registration

_STATIC: Final = Path(__file__).parent / "static"
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src http: https:; connect-src http: https:; "
    "base-uri 'none'; form-action 'none'"
)
_PUBLIC_GATEWAY: Final = "https://ipfs.io/ipfs/"
_LISTED: Final = 50
_LOOK_AGAIN: Final = "2"  # seconds until the browser opens the page of a waiting transaction anew
_COIN: Final = 10**18
Run = Callable[..., Coroutine[Any, Any, Any]]


class Pages:
    """`run` has something read in the chain's thread; `gateway` tells where IPFS files lie, if that is known."""

    def __init__(self, run: Run, chain: Chain, *, gateway: Callable[[], str | None]) -> None:
        self._run = run
        self._chain = chain
        self._gateway = gateway

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/", self._overview)
        router.add_get("/ipa/{ip}", self._asset)
        router.add_get("/tx/{hash}", self._transaction)
        router.add_get("/address/{address}", self._address)
        router.add_get("/favicon.ico", _nothing)
        router.add_get("/static/{file:page\\.css|asset\\.js}", _static)

    async def _overview(self, _request: web.Request) -> web.Response:
        registrations: list[Registration] = await self._run(lambda: list(reading.registrations(self._chain))[:_LISTED])
        rows = _list(registrations) or "<p>Nothing has been registered yet.</p>"
        return _page("IP assets", f"<h1>IP assets</h1>{rows}")

    async def _asset(self, request: web.Request) -> web.Response:
        ip = _address(request.match_info["ip"])
        asset: Asset | None = await self._run(reading.asset, self._chain, ip) if ip else None
        if not asset:
            return _page("No such IP asset", "<h1>No IP asset has this id</h1>", status=404)
        return _page(f"{asset.collection_name} #{asset.token_id}", self._asset_html(asset), script=True)

    async def _transaction(self, request: web.Request) -> web.Response:
        given = request.match_info["hash"]
        if not re.fullmatch(r"0x[0-9a-fA-F]{64}", given):
            return _page("No such transaction", "<h1>No transaction has this hash</h1>", status=404)
        hash_ = bytes.fromhex(given[2:])
        title, body, status = await self._run(self._transaction_html, hash_)
        page = _page(title, body, status=status)
        if self._chain.pool.get(hash_):
            page.headers["Refresh"] = _LOOK_AGAIN
        return page

    async def _address(self, request: web.Request) -> web.Response:
        address = _address(request.match_info["address"])
        if not address:
            return _page("No such address", "<h1>This is no address</h1>", status=404)
        holding: Holding = await self._run(reading.holding, self._chain, address)
        kind = "A contract" if holding.contract else "A wallet"
        facts = _facts(
            ("Address", f"<code>{holding.address}</code>"),
            ("What it is", kind),
            ("Balance", f"{holding.balance / _COIN:,.4f} IP"),
            ("Transactions sent", str(holding.sent)),
        )
        assets = _list(holding.assets) or "<p>None.</p>"
        return _page(
            holding.name or address,
            f"<h1>{escape(holding.name or 'Address')}</h1>{facts}<h2>Its IP assets</h2>{assets}",
        )

    def _asset_html(self, asset: Asset) -> str:
        uri, hash_ = self._place(asset.metadata_uri), text(asset.metadata_hash)
        gateway = escape(self._gateway() or _PUBLIC_GATEWAY)
        facts = _facts(
            ("Owner", _link(asset.owner)),
            ("Token", f"#{asset.token_id} of {_link(asset.collection, asset.collection_name)}"),
            ("Licence", "".join(map(_licence, asset.licences)) or "No licence terms are attached."),
            ("Made from", _assets(asset.parents) or "Nothing: it is an original."),
            ("Made from it", _assets(asset.children)),
            ("Registered", _when(asset.registered)),
            ("Block", str(asset.block)),
            ("Transaction", f'<a href="/tx/{text(asset.transaction)}"><code>{text(asset.transaction)}</code></a>'),
            ("Metadata", self._file(asset.metadata_uri, asset.metadata_hash)),
            ("Metadata of the token", self._file(asset.nft_uri, asset.nft_hash)),
            ("IP id", f"<code>{asset.ip}</code>"),
        )
        return (
            f'<article id="asset" data-uri="{escape(uri)}" data-hash="{hash_}" data-gateway="{gateway}">'
            '<figure id="figure" hidden><a id="original"><img id="image" alt="The registered image"></a>'
            '<figcaption id="image-check"></figcaption></figure>'
            f'<h1 id="title">{escape(asset.collection_name)} #{asset.token_id}</h1>'
            '<p id="description"></p><ul id="creators"></ul>'
            '<p id="check" class="check" role="status">Its metadata is being read …</p>'
            f"{facts}</article>"
        )

    def _transaction_html(self, hash_: bytes) -> tuple[str, str, int]:
        place_mined = self._chain.mined(hash_)
        heading = f"<h1>Transaction</h1><p><code>{text(hash_)}</code></p>"
        if not place_mined:
            waiting = self._chain.pool.get(hash_)
            if not waiting:
                return "No such transaction", "<h1>No transaction has this hash</h1>", 404
            return "Transaction", f"{heading}<p>It waits for a block.</p>", 200
        block, place = place_mined
        mined = block.mined[place]
        sender = to_checksum_address(mined.transaction.sender)
        to = to_checksum_address(mined.transaction.to) if mined.transaction.to else None
        facts = _facts(
            ("Outcome", "Done" if mined.status else '<strong class="bad">Reverted: nothing has changed</strong>'),
            ("Block", f"{block.number}, {_when(block.header.timestamp)}"),
            ("From", _link(sender)),
            ("To", _link(to) if to else "A new contract"),
            ("Fee", f"{mined.gas_used * mined.price / _COIN:.6f} IP for {mined.gas_used:,} gas"),
            ("IP assets", _list([each for each in reading.registrations(self._chain) if each.mined is mined])),
        )
        happened = "".join(
            f"<li>{escape(name)} <small>in {_link(address)}</small></li>" for name, address in reading.events(mined)
        )
        return "Transaction", f"{heading}{facts}<h2>What happened</h2><ol>{happened}</ol>", 200

    def _file(self, uri: str, hash_: bytes) -> str:
        place = self._place(uri)
        shown = f'<a href="{escape(place)}" rel="noreferrer">{escape(uri)}</a>' if place else escape(uri or "none")
        return f"{shown}<br><small>SHA-256 <code>{text(hash_)}</code></small>"

    def _place(self, uri: str) -> str:
        """Where a browser finds it, or nothing where it had better not look."""
        local = self._gateway()
        gateway = local or _PUBLIC_GATEWAY
        if uri.startswith("ipfs://"):
            return gateway + uri.removeprefix("ipfs://").removeprefix("ipfs/")
        if not re.match(r"https?://", uri):
            return ""
        _, prefix, path = uri.partition("/ipfs/")
        return gateway + path if local and prefix else uri


async def _nothing(_request: web.Request) -> web.Response:
    return web.Response(status=204)


async def _static(request: web.Request) -> web.Response:
    file = _STATIC / request.match_info["file"]
    kind = "text/css" if file.suffix == ".css" else "text/javascript"
    return web.Response(text=file.read_text(encoding="utf-8"), content_type=kind)


def _page(title: str, body: str, *, status: int = 200, script: bool = False) -> web.Response:
    code = '<script src="/static/asset.js" defer></script>' if script else ""
    html = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/static/page.css">{code}</head>'
        '<body><header><a href="/">A chain of your own</a> <small>It plays Story on this machine. Nothing here is '
        f"public, and its coins are worth nothing.</small></header><main>{body}</main></body></html>"
    )
    headers = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(text=html, content_type="text/html", status=status, headers=headers)


def _facts(*facts: tuple[str, str]) -> str:
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts if value)
    return f"<dl>{rows}</dl>"


def _list(registrations: list[Registration] | tuple[Registration, ...]) -> str:
    rows = "".join(
        f'<li><a href="/ipa/{each.ip}">{escape(each.name.partition(": ")[2])}</a> '
        f"<small>{_when(each.block.header.timestamp)}</small></li>"
        for each in registrations
    )
    return f"<ul>{rows}</ul>" if rows else ""


def _assets(addresses: tuple[ChecksumAddress, ...]) -> str:
    return "<br>".join(f'<a href="/ipa/{ip}"><code>{ip}</code></a>' for ip in addresses)


def _licence(licence: Licence) -> str:
    sentences = " ".join(licence.sentences)
    link = ""
    if re.match(r"https?://", licence.uri):
        link = f' <a href="{escape(licence.uri)}" rel="noreferrer">The whole text</a>'
    return (
        f"<p><strong>{escape(licence.name)}</strong> <small>(terms {licence.number})</small><br>{sentences}{link}</p>"
    )


def _link(address: ChecksumAddress, name: str = "") -> str:
    label = name or reading.name_of(address)
    shown = f"{escape(label)} " if label else ""
    return f'<a href="/address/{address}">{shown}<code>{address}</code></a>'


def _when(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f'<time datetime="{moment.isoformat()}">{moment:%d %B %Y, %H:%M:%S} UTC</time>'


def _address(given: str) -> ChecksumAddress | None:
    return to_checksum_address(given) if re.fullmatch(r"0x[0-9a-fA-F]{40}", given) else None
