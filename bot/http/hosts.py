"""Which addresses may be called: a key goes to its own provider alone, and no request into a private network."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import ip_address

from yarl import URL

LONGEST_ADDRESS = 4096  # characters

_AUTHORITY = re.compile(r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")


def _address(text: str) -> URL | None:
    """The address exactly as written, or None where two readers could disagree about its host."""
    if len(text) > LONGEST_ADDRESS or not text.isascii() or not text.isprintable() or re.search(r"[\s\\]", text):
        return None
    try:
        url = URL(text, encoded=True)
        _origin(url)  # yarl reads the port when it is first asked for
    except ValueError:
        return None
    if (
        url.scheme not in {"http", "https"}
        or not _AUTHORITY.fullmatch(url.raw_authority)
        or "xn--" in url.raw_authority
    ):
        return None
    return url


def _origin(url: URL) -> str:
    return f"{url.scheme}://{url.raw_host}:{url.port}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def origin(text: str) -> str:
    """An origin that the admin named (scheme, host, port), in one spelling.

    Raises:
        ValueError: it is more or less than an origin, or plain http to another machine.
    """
    url = _address(text)
    if url is None or url.raw_path not in {"", "/"} or url.raw_query_string or url.raw_fragment:
        raise ValueError(f"{text[:100]!r} is not an origin such as https://api.example.com or http://127.0.0.1:8080")
    if url.scheme == "http" and not _is_loopback(url.raw_host or ""):
        raise ValueError(f"{text[:100]!r} must be https: plain http is for this machine only")
    return _origin(url)


@dataclass(frozen=True)
class Hosts:
    """Which addresses may be called: published hosts over https, and the exact origins that the settings name."""

    published: re.Pattern[str]
    """Matches a whole host name."""
    named: Collection[str] = ()
    path: str | None = None
    """Where set, the one path that may be called on a published host."""
    _named: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_named", frozenset(origin(text) for text in self.named))

    def admit(self, text: str) -> URL | None:
        """The address to call, or None if it must not be."""
        url = _address(text)
        if url is None or _origin(url) in self._named:
            return url
        ours = url.scheme == "https" and url.port == 443 and self.published.fullmatch(url.raw_host or "")
        return url if ours and self.path in {None, url.raw_path} else None
