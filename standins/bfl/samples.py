"""Links to finished pictures, signed as Azure Blob Storage signs them, and valid for ten minutes."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from aiohttp import web

LIFETIME = 600  # seconds

_SECRET = b"the stand-in's, so that a link outlives a restart"


def link(origin: str, path: str, *, ready_at: float, content_type: str) -> str:
    """The address of a picture that was ready then."""
    query = {
        "se": datetime.fromtimestamp(int(ready_at + LIFETIME), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sp": "r",
        "sv": "2024-11-04",
        "sr": "b",
        "rsct": content_type,
    }
    return f"{origin}{path}?{urlencode({**query, 'sig': _signature(path, query)}, safe='/')}"


def refusal(path: str, query: Mapping[str, str], *, now: float) -> web.Response | None:
    """What Azure answers to a link that is forged or too old; None when it is good."""
    unsigned = {name: value for name, value in query.items() if name != "sig"}
    if not hmac.compare_digest(query.get("sig", "").encode(), _signature(path, unsigned).encode()):
        return _failed("Signature did not match.")
    if now > datetime.fromisoformat(query["se"]).timestamp():
        current = datetime.fromtimestamp(now, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return _failed(f"Signed expiry time [{query['se']}] must be after signed start time, now [{current}]")
    return None


def missing() -> web.Response:
    """What Azure answers when nothing lies there."""
    return _xml(404, "BlobNotFound", "The specified blob does not exist.")


def _signature(path: str, query: Mapping[str, str]) -> str:
    text = "\n".join([path, *(f"{name}={query[name]}" for name in sorted(query))])
    return base64.b64encode(hmac.digest(_SECRET, text.encode(), hashlib.sha256)).decode()


def _failed(detail: str) -> web.Response:
    words = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly"
    return _xml(403, "AuthenticationFailed", f"{words} including the signature.", detail)


def _xml(status: int, code: str, message: str, detail: str = "") -> web.Response:
    extra = f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail>" if detail else ""
    error = f"<Error><Code>{code}</Code><Message>{message}</Message>{extra}</Error>"
    text = f'\ufeff<?xml version="1.0" encoding="utf-8"?>{error}'
    return web.Response(status=status, text=text, content_type="application/xml", headers={"x-ms-error-code": code})
