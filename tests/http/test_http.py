"""The outside as it misbehaves, over real HTTP, and what the rest of the bot is told."""

import asyncio
import contextlib
import json
import logging
import re
import socket
import ssl
import struct
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.http import answers, payloads
from bot.http import client as http
from bot.http.client import Http, NotThere, Reply, Timeouts
from bot.http.hosts import Hosts

KEY = "key-0123-very-secret"
SERVICE = re.compile(r"api\.service\.example")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receipt(Reply):
    id: str


@dataclass
class Service:
    """A server that does what the test says, and remembers who asked."""

    handler: Handler
    requests: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])
    origin: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, request.headers.get("x-key")))
        return await self.handler(request)


@contextlib.asynccontextmanager
async def serve(handler: Handler) -> AsyncGenerator[Service]:
    service = Service(handler)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", service.answer)
    async with TestServer(app) as server:
        service.origin = str(server.make_url("/").origin())
        yield service


@contextlib.asynccontextmanager
async def client(*origins: str, timeouts: Timeouts = http.DEFAULT_TIMEOUTS) -> AsyncGenerator[Http]:
    async with http.session() as session:
        yield Http(
            session,
            name="The service",
            hosts=Hosts(SERVICE, origins),
            headers={"x-key": SecretStr(KEY)},
            timeouts=timeouts,
        )


async def order(handler: Handler, *, pays: bool = True, timeouts: Timeouts = http.DEFAULT_TIMEOUTS) -> Receipt:
    async with serve(handler) as service, client(service.origin, timeouts=timeouts) as api:
        if pays:
            return await api.post(f"{service.origin}/v1/order", {"prompt": "a cat"}, reply=Receipt, pays=True)
        return await api.get(f"{service.origin}/v1/look", reply=Receipt)


def status(code: int, body: object = None, **headers: str) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"detail": "No."} if body is None else body, status=code, headers=headers)

    return handler


def text(body: str) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    return handler


async def drop(request: web.Request) -> web.Response:
    await request.read()
    assert request.transport
    request.transport.abort()
    return web.Response()


async def hang(_request: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.json_response({"id": "1"})


async def trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        for _ in range(1000):
            await response.write(b" ")
            await asyncio.sleep(0.01)
    return response


async def break_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id": "1"')
    assert request.transport
    request.transport.close()
    return response


@pytest.mark.parametrize(
    ("code", "paying", "reading"),
    [
        (400, Refused, Refused),
        (401, Broken, Broken),
        (402, Broken, Broken),
        (403, Broken, Broken),
        (404, NotThere, NotThere),
        (405, NotThere, NotThere),
        (408, Uncertain, Unavailable),
        (410, NotThere, NotThere),
        (413, Refused, Refused),
        (418, Broken, Broken),
        (422, Refused, Refused),
        (429, Unavailable, Unavailable),
        (500, Uncertain, Unavailable),
        (502, Uncertain, Unavailable),
        (503, Unavailable, Unavailable),
        (504, Uncertain, Unavailable),
    ],
)
async def test_a_status_becomes_an_error_by_whether_money_can_have_moved(
    code: int, paying: type[BotError], reading: type[BotError]
) -> None:
    with pytest.raises(BotError) as paid:
        await order(status(code))
    assert type(paid.value) is paying

    with pytest.raises(BotError) as read:
        await order(status(code), pays=False)
    assert type(read.value) is reading


@pytest.mark.parametrize(
    "handler", [drop, hang, trickle, break_off, text("{oops"), text(""), text('"' + "x" * 600_000 + '"')]
)
async def test_an_order_whose_answer_is_lost_is_uncertain_and_a_question_may_be_asked_again(handler: Handler) -> None:
    hasty = Timeouts(connect=1, idle=0.1, total=0.15)

    with pytest.raises(Uncertain):
        await order(handler, timeouts=hasty)
    with pytest.raises((Unavailable, Broken)):
        await order(handler, pays=False, timeouts=hasty)


async def test_an_answer_in_another_form_is_uncertain_for_an_order_and_a_bug_for_a_question() -> None:
    with pytest.raises(Uncertain):
        await order(text('{"task": 1}'))
    with pytest.raises(Broken):
        await order(text('{"task": 1}'), pays=False)


async def test_an_answer_of_the_right_form_is_read_to_its_cap_and_no_further() -> None:
    assert (await order(text('{"id": "1"' + " " * (http.REPLY_CAP - 11) + "}"), pays=False)).id == "1"
    with pytest.raises(Broken):
        await order(text('{"id": "1"' + " " * (http.REPLY_CAP - 10) + "}"), pays=False)


async def test_a_202_may_come_without_a_body() -> None:
    class Patient(Reply):
        status: str = "not yet"

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=202)

    async with serve(handler) as service, client(service.origin) as api:
        assert (await api.get(service.origin, reply=Patient)).status == "not yet"


class NoSuchHost(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        raise OSError("no such host")

    async def close(self) -> None: ...


async def test_an_order_that_never_left_is_unavailable() -> None:
    async with serve(hang) as service:
        pass
    async with client(service.origin) as api:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await api.post(service.origin, {}, reply=Receipt, pays=True)

    connector = aiohttp.TCPConnector(resolver=NoSuchHost())
    async with aiohttp.ClientSession(connector=connector) as session:
        api = Http(session, name="The service", hosts=Hosts(SERVICE))
        with pytest.raises(Unavailable, match="cannot be reached"):
            await api.post("https://api.service.example/v1/order", {}, reply=Receipt, pays=True)

    async with serve(status(200, {"id": "1"})) as service:
        tls = service.origin.replace("http:", "https:")
        async with client(tls) as api:
            with pytest.raises(Unavailable, match="cannot be reached") as failed:
                await api.post(tls, {}, reply=Receipt, pays=True)
        assert isinstance(failed.value.__cause__, (aiohttp.ClientConnectorError, ssl.SSLError))
        assert service.requests == []


async def test_a_connection_that_does_not_come_about_is_unavailable() -> None:
    async def wait_for_ever(host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        await asyncio.sleep(30)
        return []

    resolver = NoSuchHost()
    resolver.resolve = wait_for_ever  # pyright: ignore[reportAttributeAccessIssue]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session:
        api = Http(session, name="The service", hosts=Hosts(SERVICE), timeouts=Timeouts(connect=0.05))
        with pytest.raises(Unavailable, match="cannot be reached"):
            await api.post("https://api.service.example/v1/order", {}, reply=Receipt, pays=True)


async def test_an_order_is_not_sent_again_into_a_kept_connection_that_was_dropped() -> None:
    heads: list[bytes] = []

    async def serve_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"id":"1"}', b""):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(2)
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve_once, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, client(origin) as api:
        await api.post(origin, {}, reply=Receipt, pays=True)
        with pytest.raises(Uncertain):
            await api.post(origin, {}, reply=Receipt, pays=True)

    assert len(heads) == 2


async def test_an_order_whose_connection_is_reset_after_it_was_sent_is_uncertain() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, client(origin) as api:
        with pytest.raises(Uncertain) as lost:
            await api.post(origin, {}, reply=Receipt, pays=True)
    assert isinstance(lost.value.__cause__, aiohttp.ClientOSError), "a kind that failing to connect shares"


async def test_a_redirect_of_an_order_is_not_followed() -> None:
    async with serve(status(200, {"id": "1"})) as elsewhere:
        with pytest.raises(Broken, match="moved"):
            await order(status(307, Location=f"{elsewhere.origin}/v1/order"))
        assert elsewhere.requests == []


async def test_the_key_goes_to_the_hosts_of_the_service_only() -> None:
    async with serve(status(200, {"id": "1"})) as ours, serve(status(200, {"id": "2"})) as foreign:
        async with client(ours.origin) as api:
            await api.get(f"{ours.origin}/v1/look", reply=Receipt)
            with pytest.raises(Broken, match="foreign"):
                await api.get(f"{foreign.origin}/v1/look", reply=Receipt)
            with pytest.raises(Broken, match="foreign"):
                await api.post(f"{foreign.origin}/v1/order", {}, reply=Receipt, pays=True)

        assert ours.requests == [("GET", "/v1/look", KEY)]
        assert foreign.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "http://api.service.example/",
        "http://api.service.example:443/",
        "https://api.service.example:8443/",
        "https://api.service.example:80/",
        "https://api.service.example./",
        "https://api.service.example:/",
        "https://API.service.example/",
        "https://user@api.service.example/",
        "https://@api.service.example/",
        "https://user:password@api.service.example/",
        "https://api.service.example@evil.example/",
        "https://api.service.example.evil.example/",
        "https://evil.example/api.service.example",
        "https://evil.example#@api.service.example/",
        "https://evil.example\\@api.service.example/",
        "https://evil.example\\.api.service.example/",
        "https://evil.example%2f.api.service.example/",
        "https://evilapi.service.example/",
        "https://api.service.example\n.evil.example/",
        "https://api.service.example\t/",
        " https://api.service.example/",
        "https://api。service。example/",
        "https://ａpi.service.example/",
        "https://api.serv\u0456ce.example/",
        "https://xn--pi-7ja.service.example/",
        "https://[::1]/",
        "https://127.0.0.1/",
        "https://[::ffff:127.0.0.1]:443/",
        "https:///api.service.example/",
        "https:api.service.example",
        "//api.service.example/",
        "file:///etc/passwd",
        "https://api.service.example:99999/",
        "https://api.service.example/" + "x" * 5000,
        "",
    ],
)
def test_an_address_that_two_readers_could_read_differently_is_refused(address: str) -> None:
    assert Hosts(SERVICE, ["http://127.0.0.1:9000"]).admit(address) is None


def test_an_international_name_is_refused_in_its_ascii_spelling_too() -> None:
    anything = Hosts(re.compile(r"[a-z0-9.-]+\.service\.example"))
    assert anything.admit("https://api.eu.service.example/")
    assert not anything.admit("https://xn--pi-7ja.service.example/")
    assert not anything.admit("https://api.xn--pi-7ja.service.example/")


def test_published_hosts_and_named_origins_are_admitted_and_nothing_near_them() -> None:
    hosts = Hosts(SERVICE, ["http://127.0.0.1:9000/", "https://gateway.example", "http://[::1]:9000"], path="/v1/look")

    for address in (
        "https://api.service.example/v1/look?id=1%2B2",
        "https://api.service.example:443/v1/look",
        "http://127.0.0.1:9000/any/path",
        "https://gateway.example/any/path",
        "https://gateway.example:443/any/path",
        "http://[::1]:9000/",
    ):
        assert str(hosts.admit(address)) == address.replace(":443", "")
    for address in (
        "https://api.service.example/v1/order",
        "http://127.0.0.1:9001/",
        "http://127.0.0.2:9000/",
        "https://127.0.0.1:9000/",
        "http://gateway.example/",
        "https://gateway.example:8443/",
        "https://api.gateway.example/",
    ):
        assert hosts.admit(address) is None


@pytest.mark.parametrize(
    "named",
    ["http://gateway.example", "http://10.0.0.1:80", "https://gateway.example/v1", "gateway.example", "ftp://a"],
)
def test_an_origin_is_named_exactly_and_plain_http_only_on_this_machine(named: str) -> None:
    with pytest.raises(ValueError, match=r"is not an origin|must be https"):
        Hosts(SERVICE, [named])


async def test_a_giant_refusal_is_read_no_further_than_its_cap_and_its_echo_is_not_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(status=422)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await response.write(
                b'{"detail":[{"type":"value_error","loc":["body","file_data"],'
                b'"msg":"Value error, Suspicious file attributes","input":{"prompt":"my secret prompt","file_data":"'
            )
            for _ in range(1024):
                await response.write(b"QUJD" * 16_384)
                sent += 65_536
        return response

    with caplog.at_level(logging.DEBUG), pytest.raises(Refused) as refused:
        await order(handler)

    assert str(refused.value) == ("The service turned that down: file_data: Value error, Suspicious file attributes.")
    assert sent < 16_000_000, "what the socket's buffers hold, of 67 MB"
    assert "secret prompt" not in caplog.text
    assert "QUJD" not in caplog.text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"detail": "Finetune not found or not ready"}, "Finetune not found or not ready"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "Not a number", "input": "private"}]}, "seed: Not a number"),
        ({"error": "out", "message": "of order"}, "of order"),
        ({"error": {"message": "nested"}}, "nested"),
        ({"detail": "control\x00 \u202e and\nlines"}, "control and lines"),
        ({"detail": "it was " + "QUJD" * 100}, "it was …"),
        ({"detail": "so " * 100}, ("so " * 67)[:199] + "…"),
        ({"detail": {"input": "private"}}, ""),
        (["a", "b"], "a; b"),
        (17, ""),
    ],
)
def test_a_reason_is_short_clean_and_never_what_we_sent(body: object, reason: str) -> None:
    assert answers.reason_in(json.dumps(body).encode()) == reason


def test_a_reason_is_found_in_a_web_page_and_in_a_body_that_was_cut() -> None:
    assert answers.reason_in(b"<html><h1>502  Bad Gateway</h1>") == "502 Bad Gateway"
    assert answers.reason_in(b'{"detail":[{"input":{"a":"\\"loc\\":[\\"x\\"],\\"msg\\":\\"private') == ""
    assert answers.reason_in(b'{"detail":[{"input":{"loc":["x"],"msg":"private"}},{"loc":["y"],"msg":"cut') == ""
    assert answers.reason_in(b"[" * 65_536) == ""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("60", 60),
        ("1.5", 1.5),
        ("0", 1),
        ("-5", None),
        ("999999", 3600),
        ("9" * 400, None),
        ("soon", None),
        ("nan", None),
        ("Fri, 21 Nov 2025 12:01:30 GMT", 90),
        ("Fri, 21 Nov 2025 11:00:00 GMT", 1),
        ("Sat, 21 Nov 2026 12:00:00 GMT", 3600),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_is_bounded(header: str | None, seconds: float | None) -> None:
    assert answers.retry_after(header, now=datetime(2025, 11, 21, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("code", [429, 503])
async def test_a_busy_service_says_how_long_to_leave_it_alone(code: int) -> None:
    with pytest.raises(Unavailable) as busy:
        await order(status(code, **{"Retry-After": "17"}))
    assert busy.value.retry_after == 17


async def test_a_date_is_compared_with_the_services_own_clock_whatever_this_machines_is_set_to() -> None:
    named = {"Date": "Fri, 21 Nov 2031 12:00:00 GMT", "Retry-After": "Fri, 21 Nov 2031 12:00:40 GMT"}
    with pytest.raises(Unavailable) as busy:
        await order(status(429, **named))
    assert busy.value.retry_after == 40


@pytest.mark.parametrize("digits", [400, 4_300, 4_301, 100_000])
async def test_a_number_without_end_does_not_cost_a_receipt(digits: int) -> None:
    assert (await order(text(f'{{"cost": {"9" * digits}, "id": "1"}}'))).id == "1"
    assert (await order(text(f'{{"id": "1", "all": [1, -{"9" * digits}]}}'), pays=False)).id == "1"


async def test_a_secret_is_in_no_message_traceback_repr_or_log(caplog: pytest.LogCaptureFixture) -> None:
    async def echo(request: web.Request) -> web.Response:
        key = request.headers["x-key"]
        body = {"detail": f"bad key {key}"} if request.path == "/refuse" else {"id": [key]}
        return web.json_response(body, status=422 if request.path == "/refuse" else 200)

    async with serve(echo) as service, client(service.origin) as api:
        with caplog.at_level(logging.DEBUG):
            for path in ("/refuse?token=hidden", "/odd?token=hidden"):
                with pytest.raises(BotError) as failed:
                    await api.get(service.origin + path, reply=Receipt)
                written = "".join(traceback.format_exception(failed.value)) + repr(failed.value) + caplog.text
                assert KEY not in written
                assert "bad key [key]" in written or path.startswith("/odd")
        assert "/refuse answered 422" in caplog.text
        assert "hidden" not in "".join(line for line in caplog.messages if "answered" in line)
        assert KEY not in repr(api) + repr(vars(api))


@pytest.mark.parametrize("key", ["", "two\nlines", " padded", "kéy"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="The service") as refused:
        Http(None, name="The service", hosts=Hosts(SERVICE), headers={"x-key": SecretStr(key)})  # pyright: ignore[reportArgumentType]
    assert key == "" or key not in str(refused.value)


async def test_large_pictures_are_sent_while_the_event_loop_turns() -> None:
    picture = bytes(range(256)) * 40_000
    turns = turns_in_between = 0

    async def handler(request: web.Request) -> web.Response:
        assert request.content_length == len(await request.read())
        body = await request.json()
        assert body["prompt"] == "é"
        assert body["width"] == 1024
        return web.json_response({"id": str(len(body["image"]))})

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    pieces = 0
    async for piece in payloads.json_pieces({"prompt": "é", "image": picture}):
        assert len(piece) <= 300_000
        assert turns > turns_in_between or pieces < 2
        turns_in_between, pieces = turns, pieces + 1
    turning.cancel()

    async with serve(handler) as service, client(service.origin) as api:
        receipt = await api.post(
            service.origin, {"prompt": "é", "image": picture, "width": 1024, "mask": b""}, reply=Receipt, pays=True
        )
    assert receipt.id == str((len(picture) + 2) // 3 * 4)


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def fetch(
    handler: Handler, into: Path, *, cap: int = 1000, timeouts: Timeouts = http.DEFAULT_TIMEOUTS
) -> Service:
    async with serve(handler) as service, client(service.origin, timeouts=timeouts) as api:
        try:
            await api.download(f"{service.origin}/0", into, hosts=Hosts(SERVICE, [service.origin]), cap=cap)
        finally:
            assert all(key is None for _, _, key in service.requests), "a download carries no key"
        return service


async def test_a_file_is_downloaded_without_the_key_and_replaces_what_was_there(tmp_path: Path) -> None:
    into = tmp_path / "picture"
    into.write_bytes(b"an older and longer file")

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=b"\xff\xd8picture")

    await fetch(handler, into)

    assert into.read_bytes() == b"\xff\xd8picture"


@pytest.mark.parametrize(("code", "error"), [(403, Broken), (404, Broken), (429, Unavailable), (503, Unavailable)])
async def test_a_dead_link_is_told_from_a_server_in_trouble(code: int, error: type[BotError], tmp_path: Path) -> None:
    with pytest.raises(error):
        await fetch(status(code), tmp_path / "picture")


@pytest.mark.parametrize("handler", [break_off, trickle, hang])
async def test_a_download_that_breaks_off_leaves_no_file(handler: Handler, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await fetch(handler, tmp_path / "picture", timeouts=Timeouts(idle=0.1, download=0.15))
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_beyond_the_cap_is_given_up(announced: bool, tmp_path: Path) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1001"} if announced else {})
        await response.prepare(request)
        await response.write(b"x" * 1001)
        return response

    with pytest.raises(Broken, match="1,000 bytes"):
        await fetch(handler, tmp_path / "picture")
    assert files_in(tmp_path) == []
    await fetch(handler, tmp_path / "picture", cap=1001)


async def test_a_download_follows_three_redirects_and_no_fourth(tmp_path: Path) -> None:
    async def hop(request: web.Request) -> web.Response:
        hops = int(request.path[1:])
        if hops == last:
            return web.Response(body=b"here")
        return web.Response(status=302, headers={"Location": f"/{hops + 1}"})

    last = 3
    assert len((await fetch(hop, tmp_path / "picture")).requests) == 4
    last = 4
    with pytest.raises(Broken, match="circles"):
        await fetch(hop, tmp_path / "picture")


async def test_a_download_is_not_redirected_to_a_foreign_host(tmp_path: Path) -> None:
    async with serve(status(200, {})) as foreign:
        for location in (
            foreign.origin,
            f"{foreign.origin[5:]}/x",
            "http://169.254.169.254/",
            "file:///etc/passwd",
            "",
        ):
            with pytest.raises(Broken):
                await fetch(status(302, Location=location), tmp_path / "picture")
        assert foreign.requests == []
