"""The HTTP client: nothing else sends requests to the outside.

It limits time, size and addresses, and turns every way of failing into one of the four errors. It retries
nothing, and follows no redirect but a download's. aiohttp itself sends a request again only when an idempotent
one (never a POST) meets a kept connection that was dropped.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from yarl import URL

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.http.answers import read_date, reason_in, reset_after, retry_after
from bot.http.hosts import Hosts
from bot.http.payloads import PIECE, Body, Form, PlainForm, json_length, length_of, payload
from bot.trouble import recognise, recognised

log = logging.getLogger(__name__)

ERROR_CAP = 64 * 1024  # bytes; a 422 of BFL echoes the whole request, tens of megabytes of it
REPLY_CAP = 512 * 1024  # bytes
SLOWEST_UPLINK = 50_000  # bytes a second; a training set must not be cut off half-way for being large
HOPS = 3  # redirects that a download may follow


class Reply(BaseModel):
    """An answer. Its own text stays out of error messages and tracebacks."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


_ENDLESS_NUMBER = re.compile(rb"(?<=[:,\[\s])-?[0-9]{400,}(?=[,}\]\s])")
"""A number with more digits than a reader of JSON takes, which would cost the whole answer."""

R = TypeVar("R", bound=BaseModel)
"""A `Reply`, or where a service answers with a bare list, a RootModel of them."""


Reading = Literal["json", "lines", "text"]
"""What a reply is written in. A model of JSON lines is a RootModel of their list, one of plain text of a string."""


class NotThere(Broken):
    """404, 405 or 410, and of a download 403, too. A caller to whom that is an answer catches it."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds."""

    connect: float = 10
    idle: float = 30
    """Between two pieces of an answer."""
    total: float = 120
    download: float = 300


DEFAULT_TIMEOUTS = Timeouts()


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is not a success, as a provider's `explain` sees it."""

    method: str
    status: int
    reason: str
    """The service's own words, short and cleaned, never what we had sent; may be empty."""
    retry_after: float | None
    body: bytes = field(default=b"", repr=False)
    """As it came, without our keys; its first `ERROR_CAP` bytes."""


Explain = Callable[[Failure], BotError | None]
"""A provider's own reading of a failure; None leaves it to the common one."""


@asynccontextmanager
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    """A session to lend: no cookies, no proxies or passwords from the environment, no decompression.

    An idle connection is given up after 4 s, sooner than servers do (uvicorn: 5 s), so that an order is not sent
    into one that is just being closed: its outcome would be uncertain.
    """
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=4),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
    ) as lent:
        yield lent


class Http:
    """One service, spoken to with its key.

    The key (`headers`) goes to the addresses that `hosts` admits and nowhere else. `name` begins the sentences
    that people read ("The image service"). Where the address itself is a secret (`secret_address`), as with nodes that
    carry their key in it, it is kept out of logs, errors and the tracebacks of errors.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        name: str,
        hosts: Hosts,
        headers: Mapping[str, SecretStr] | None = None,
        explain: Explain | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        secret_address: bool = False,
    ) -> None:
        self._session = session
        self._name = name
        self._hosts = hosts
        self._headers = dict(headers or {})
        self._explain = explain
        self._timeouts = timeouts
        self._secret_address = secret_address
        if not all(re.fullmatch(r"[!-~]+( [!-~]+)*", secret.get_secret_value()) for secret in self._headers.values()):
            raise ValueError(f"{name}: its key is empty, or has characters in it that no key has")

    async def get(self, address: str, *, reply: type[R]) -> R:
        """Ask a question, which is free and safe to repeat.

        Raises:
            Unavailable: no answer, or not in time; 429, any 5xx, an unreadable answer.
            Refused: 400 or 422.
            NotThere: 404, 405, 410.
            Broken: a foreign address, a redirect, any other status, an answer of another form.
        """
        return await self._ask("GET", address, None, reply, pays=False)

    async def delete(self, address: str, *, reply: type[R], reading: Reading = "json") -> R:
        """Delete something, which is free and safe to repeat. The errors are those of `get`.

        Raises:
            NotThere: it is gone already.
        """
        return await self._ask("DELETE", address, None, reply, pays=False, reading=reading)

    async def call(self, address: str, *, reply: type[R], reading: Reading = "json") -> R:
        """POST an empty body to a procedure whose arguments are in its address. Free, safe to repeat.

        The errors are those of `get`.
        """
        return await self._ask("POST", address, None, reply, pays=False, reading=reading)

    async def post(self, address: str, body: Body, *, reply: type[R], pays: bool) -> R:
        """Send `body` as JSON, once. Pictures in it are encoded while they are sent.

        Raises, where it pays, so that the type says whether money can have moved:
            Unavailable: it was certainly not taken: no connection, 429, 503.
            Uncertain: it may have been taken: sent and then no answer, an unreadable one, or any other 5xx.
            Refused: 400 or 422; it was not taken.
            Broken: a foreign address, a redirect, any other status; it was not taken.
        """
        return await self._ask("POST", address, body, reply, pays=pays)

    async def post_form(self, address: str, form: Form, *, reply: type[R], pays: bool, reading: Reading = "json") -> R:
        """Send `form` as multipart/form-data, once. The errors are those of `post`."""
        return await self._ask("POST", address, form, reply, pays=pays, reading=reading)

    async def post_plain_form(self, address: str, form: PlainForm, *, reply: type[R], pays: bool) -> R:
        """Send `form` as application/x-www-form-urlencoded, once. The errors are those of `post`."""
        return await self._ask("POST", address, form, reply, pays=pays)

    async def download(self, address: str, into: Path, *, hosts: Hosts, cap: int) -> None:
        """Fetch a file, without the key, into `into`, which exists afterwards only if this succeeds.

        `cap` is in bytes. At most 3 redirects are followed, each to an address that `hosts` admits.

        Raises:
            Unavailable: it broke off, or the server cannot just now; `MachineTrouble` where this machine has no room.
            NotThere: the link is dead (403, 404, 405, 410).
            Broken: the link is foreign, or the file is larger than `cap`.
        """
        timeout = self._limits(self._timeouts.download)
        try:
            for _ in range(HOPS + 1):
                url = hosts.admit(address)
                if url is None:
                    raise Broken(f"{self._name} sent a link to a foreign address, which was not followed.")
                headers = {"Accept-Encoding": "identity"}
                response = await self._session.get(url, headers=headers, allow_redirects=False, timeout=timeout)
                try:
                    if response.status == 200:
                        return await self._save(response, into, cap)
                    address = self._next_hop(response, url)
                finally:
                    response.close()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise recognise(error) or Unavailable(f"{self._name} broke off a download.") from error
        raise Broken(f"{self._name} sent a link that leads in circles.")

    async def call_for_file(self, address: str, into: Path, *, cap: int) -> None:
        """POST nothing to a procedure as `call`, and save what it answers as `download` does: with the key, and with
        no redirect.

        Raises:
            Unavailable: no answer, or it broke off; 429, any 5xx.
            Refused, NotThere, Broken: as `get`; Broken, too, where the file is larger than `cap`.
        """
        url = self._home(address)
        headers = {"Accept-Encoding": "identity", **self._key()}
        timeout = self._limits(self._timeouts.download)
        try:
            response = await self._session.post(url, headers=headers, allow_redirects=False, timeout=timeout)
            try:
                if response.status != 200:
                    raise await self._read_failure("POST", url, response, pays=False)
                await self._save(response, into, cap)
            finally:
                response.close()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise recognise(error) or Unavailable(f"{self._name} broke off a download.") from error

    def _next_hop(self, response: aiohttp.ClientResponse, url: URL) -> str:
        status = response.status
        if status in {301, 302, 303, 307, 308}:
            try:
                return str(url.join(URL(response.headers.get("Location", ""), encoded=True)))
            except ValueError as error:
                raise Broken(f"{self._name} sent a link that leads nowhere.") from error
        log.warning("GET %s%s answered %d", url.origin(), url.raw_path, status)
        if status in {408, 425, 429} or status >= 500:
            raise Unavailable(f"{self._name} cannot hand out a file just now.", retry_after=_wait(response))
        dead = NotThere if status in {403, 404, 405, 410} else Broken
        raise dead(f"{self._name} sent a link that is dead or has expired ({status}).")

    async def _save(self, response: aiohttp.ClientResponse, into: Path, cap: int) -> None:
        try:
            with recognised():
                file = await asyncio.to_thread(into.open, "wb")
                try:
                    size = 0
                    async for piece in response.content.iter_chunked(PIECE):
                        size += len(piece)
                        if size > cap:
                            raise Broken(f"{self._name} sent a file larger than {cap:,} bytes.")
                        await asyncio.to_thread(file.write, piece)
                finally:
                    await asyncio.to_thread(file.close)
        except BaseException:
            _discard(into)
            raise

    def _home(self, address: str) -> URL:
        url = self._hosts.admit(address)
        if url is None:
            raise Broken(f"{self._name} was to be called at a foreign address, and was not.")
        return url

    def _key(self) -> dict[str, str]:
        return {name: secret.get_secret_value() for name, secret in self._headers.items()}

    async def _ask(
        self,
        method: str,
        address: str,
        body: Body | Form | PlainForm | None,
        reply: type[R],
        *,
        pays: bool,
        reading: Reading = "json",
    ) -> R:
        url = self._home(address)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if isinstance(body, Mapping):
            headers |= {"Content-Type": "application/json", "Content-Length": str(json_length(body))}
        headers |= self._key()
        try:
            response = await self._session.request(
                method,
                url,
                data=payload(body),
                headers=headers,
                allow_redirects=False,
                timeout=self._limits(self._timeouts.total + length_of(body) / SLOWEST_UPLINK),
            )
            try:
                if not 200 <= response.status < 300:
                    raise await self._read_failure(method, url, response, pays=pays)
                answer = await _read(response, REPLY_CAP + 1)
            finally:
                response.close()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            unreachable = recognise(error) or Unavailable(f"{self._name} cannot be reached just now.")
            raise unreachable from self._safe_cause(error)
        except (aiohttp.ClientError, TimeoutError) as error:
            if pays:
                raise Uncertain(f"{self._name} did not confirm that it took the order.") from self._safe_cause(error)
            raise Unavailable(f"{self._name} did not answer.") from self._safe_cause(error)
        return self._understood(answer or (b"{}" if response.status == 202 else b""), reply, reading, pays=pays)

    def _understood(self, answer: bytes, reply: type[R], reading: Reading, *, pays: bool) -> R:
        try:
            if len(answer) > REPLY_CAP:
                raise Broken(f"{self._name} answered with more than {REPLY_CAP:,} bytes.")
            text = _as_json(answer, reading)
            try:
                return reply.model_validate_json(text)
            except ValidationError as error:
                if not _is_unreadable(error) or not _ENDLESS_NUMBER.search(text):
                    raise
                return reply.model_validate_json(_ENDLESS_NUMBER.sub(b"1e999", text))
        except (ValueError, TypeError, ArithmeticError, RecursionError, Broken) as error:
            if pays:
                raise Uncertain(f"{self._name} took the order, and its receipt is unreadable.") from error
            if isinstance(error, ValidationError) and _is_unreadable(error):
                raise Unavailable(f"{self._name} answered in a way that cannot be read.") from error
            raise Broken(f"{self._name} answers in a form that this bot does not know.") from error

    async def _read_failure(self, method: str, url: URL, response: aiohttp.ClientResponse, *, pays: bool) -> BotError:
        try:
            body = await _read(response, ERROR_CAP)
        except (aiohttp.ClientError, TimeoutError):
            body = b""  # the status came, and says enough
        body = self._without_secrets(body, url)
        reason = reason_in(body)
        failure = Failure(method, response.status, reason, _wait(response), body)
        place = self._name if self._secret_address else f"{url.origin()}{url.raw_path}"
        log.warning("%s %s answered %d: %s", method, place, failure.status, reason)
        return (self._explain and self._explain(failure)) or self._explain_common(failure, pays=pays)

    def _without_secrets(self, body: bytes, url: URL) -> bytes:
        keys = [secret.get_secret_value().rpartition(" ")[2] for secret in self._headers.values()]  # not "Bearer"
        if self._secret_address:
            pieces = {url.raw_host or "", *url.raw_parts, *url.query.values(), url.raw_query_string}
            keys += sorted((piece for piece in pieces if len(piece) >= 6), key=len, reverse=True)
        for key in keys:
            body = body.replace(key.encode(), b"[key]")
        return body

    def _safe_cause(self, error: Exception) -> Exception | None:
        """The cause that a traceback may name: some of aiohttp's errors repeat the address."""
        return None if self._secret_address else error

    def _explain_common(self, failure: Failure, *, pays: bool) -> BotError:
        match failure.status:
            case 400 | 413 | 422:
                reason = failure.reason or "it does not say why"
                return Refused(f"{self._name} turned that down: {reason}{'' if reason[-1] in '.!?…' else '.'}")
            case 404 | 405 | 410:
                return NotThere(f"{self._name} no longer has what it was asked for ({failure.status}).")
            case 429 | 503:
                return Unavailable(f"{self._name} is busy just now.", retry_after=failure.retry_after)
            case status if status >= 500 or status in {408, 425}:
                if pays:
                    return Uncertain(f"{self._name} failed after it was given the order ({status}).")
                return Unavailable(f"{self._name} has trouble just now ({status}).", retry_after=failure.retry_after)
            case status if status < 400:
                return Broken(f"{self._name} has moved elsewhere ({status}).")
            case status:
                return Broken(f"{self._name} does not accept this bot ({status}).")

    def _limits(self, total: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=total,
            connect=self._timeouts.connect,
            sock_connect=self._timeouts.connect,
            sock_read=self._timeouts.idle,
        )


def _is_unreadable(error: ValidationError) -> bool:
    return error.errors(include_input=False)[0]["type"] == "json_invalid"


def _wait(response: aiohttp.ClientResponse) -> float | None:
    """Seconds for which it asks to be left alone. A date is compared with the service's own clock, where it names it:
    that of this machine may be set to anything."""
    now = read_date(response.headers.get("Date")) or datetime.now(UTC)
    seconds = retry_after(response.headers.get("Retry-After"), now=now)
    if seconds is None and response.status == 429:
        return reset_after(response.headers.get("X-RateLimit-Reset"), now=now)
    return seconds


def _as_json(answer: bytes, reading: Reading) -> bytes:
    if reading == "text":
        return json.dumps(answer.decode(errors="replace")).encode()
    if reading == "lines":
        return b"[" + b",".join(line for line in answer.split(b"\n") if line.strip()) + b"]"
    return answer


async def _read(response: aiohttp.ClientResponse, cap: int) -> bytes:
    """The first `cap` bytes of a body."""
    body = bytearray()
    while len(body) < cap and (piece := await response.content.read(min(PIECE, cap - len(body)))):
        body += piece
    return bytes(body)


def _discard(path: Path) -> None:
    path.unlink(missing_ok=True)
