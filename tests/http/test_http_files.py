"""Files that are sent from the disk, and replies that are not JSON, over real HTTP."""

import asyncio
import contextlib
import hashlib
import re
import sys
import tracemalloc
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import BodyPartReader, web
from aiohttp.test_utils import TestServer
from pydantic import RootModel, SecretStr

from bot.errors import Broken, Unavailable
from bot.http import answers
from bot.http import client as http
from bot.http.client import Http, NotThere, Reply
from bot.http.hosts import Hosts
from bot.http.payloads import PIECE, FormPath
from tests import ROOT

KEY = "key-0123-very-secret"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Words(RootModel[str]): ...


class Line(Reply):
    name: str


class Lines(RootModel[list[Line]]): ...


@contextlib.asynccontextmanager
async def service(handler: Handler) -> AsyncGenerator[tuple[Http, str]]:
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server, http.session() as session:
        origin = str(server.make_url("/").origin())
        hosts = Hosts(re.compile("x"), [origin])
        yield Http(session, name="The service", hosts=hosts, headers={"Authorization": SecretStr(KEY)}), origin


def says(text: str, status: int = 200) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text=text, status=status)

    return handler


async def test_a_file_is_sent_from_the_disk_while_the_event_loop_turns_and_never_lies_in_memory(tmp_path: Path) -> None:
    content = hashlib.sha256(b"owl").digest() * 1_000_000
    path = tmp_path / "owl"
    path.write_bytes(content)
    expected = hashlib.sha256(content).hexdigest()
    del content
    seen: list[tuple[str | None, str | None, str | None, str]] = []

    async def handler(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            digest = hashlib.sha256()
            while piece := await part.read_chunk(65_536):
                digest.update(piece)
            seen.append((part.name, part.filename, part.headers.get("Content-Type"), digest.hexdigest()))
        assert request.content_length
        assert request.headers.get("Transfer-Encoding") is None  # not every service takes pieces of unknown number
        return web.json_response("OK")

    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with service(handler) as (api, origin):
        turning = asyncio.create_task(turn())
        tracemalloc.start()
        form = [("network", "public"), ("file", FormPath("owl.png", "image/png", path, 32_000_000))]
        await api.post_form(f"{origin}/files", form, reply=Words, pays=False)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        turning.cancel()

    assert seen[0][0] == "network"
    assert seen[1] == ("file", "owl.png", "image/png", expected)
    assert peak < 8_000_000
    assert turns > 32_000_000 // PIECE


async def test_a_file_that_is_gone_is_not_sent(tmp_path: Path) -> None:
    async with service(says("OK")) as (api, origin):
        form = [("file", FormPath("owl.png", "image/png", tmp_path / "gone", 10))]
        with pytest.raises(Unavailable):
            await api.post_form(f"{origin}/files", form, reply=Words, pays=False)


async def test_a_reply_may_be_plain_text_or_lines_of_json() -> None:
    async with service(says("OK")) as (api, origin):
        assert (await api.delete(origin, reply=Words, reading="text")).root == "OK"
        with pytest.raises(Unavailable):
            await api.delete(origin, reply=Words)
    async with service(says("")) as (api, origin):
        assert (await api.call(origin, reply=Words, reading="text")).root == ""
        assert (await api.call(origin, reply=Lines, reading="lines")).root == []
    async with service(says('{"name":"a"}\n\r\n{"name":"b"}\n')) as (api, origin):
        assert [line.name for line in (await api.call(origin, reply=Lines, reading="lines")).root] == ["a", "b"]
    async with service(says('{"name":"a"}\n{"na')) as (api, origin):
        with pytest.raises(Unavailable):
            await api.call(origin, reply=Lines, reading="lines")


async def test_a_file_that_is_called_for_comes_with_the_key_from_home_only(tmp_path: Path) -> None:
    keys: list[tuple[str, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        keys.append((request.method, request.headers.get("Authorization")))
        if request.path == "/moved":
            raise web.HTTPFound("/file")
        return web.Response(body=b"0123456789")

    async with service(handler) as (api, origin):
        await api.call_for_file(f"{origin}/file", tmp_path / "file", cap=10)
        assert (tmp_path / "file").read_bytes() == b"0123456789"
        for address, cap in ((f"{origin}/moved", 10), ("https://evil.example/file", 10), (f"{origin}/file", 9)):
            with pytest.raises(Broken):
                await api.call_for_file(address, tmp_path / "other", cap=cap)
    assert not (tmp_path / "other").exists()
    assert keys == [("POST", KEY)] * 3


@pytest.mark.parametrize("status", [403, 404, 405, 410])
async def test_a_dead_link_is_told_from_one_that_leads_astray(status: int, tmp_path: Path) -> None:
    async with service(says("no", status)) as (api, origin):
        with pytest.raises(NotThere):
            await api.download(f"{origin}/file", tmp_path / "file", hosts=Hosts(re.compile("x"), [origin]), cap=10)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1763726440", 40),  # a Unix time
        ("1763726399", 1),
        ("4000000000", 3600),
        ("30", 30),  # a wait
        ("0", 1),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("٣٠", None),
        ("17637264400000", None),
        (None, None),
    ],
)
def test_the_end_of_a_limit_is_a_time_or_a_wait_and_is_bounded(header: str | None, seconds: float | None) -> None:
    assert answers.reset_after(header, now=datetime(2025, 11, 21, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("status", [429, 503])
async def test_the_end_of_a_limit_counts_where_one_was_reached_and_no_wait_is_named(status: int) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"X-RateLimit-Reset": "30"})

    async with service(handler) as (api, origin):
        with pytest.raises(Unavailable) as busy:
            await api.get(origin, reply=Words)
    assert busy.value.retry_after == (30 if status == 429 else None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error":{"reason":"API_KEY_REVOKED","details":"No."}}', "API_KEY_REVOKED: No."),
        (b'{"error":{"reason":"API_KEY_REVOKED","details":{"a":1}}}', "API_KEY_REVOKED"),
        (b'{"error":{"code":401,"message":"no Authorization header found"}}', "no Authorization header found"),
        (b'{"Message":"not pinned or pinned indirectly","Code":0,"Type":"error"}', "not pinned or pinned indirectly"),
    ],
)
def test_the_words_of_pinning_services_are_understood(body: bytes, reason: str) -> None:
    assert answers.reason_in(body) == reason


async def test_a_body_of_nothing_but_brackets_does_not_end_the_process_where_a_library_has_raised_its_limit() -> None:
    code = (
        "import sys; sys.setrecursionlimit(100_000); from bot.http.answers import reason_in; "
        "assert reason_in(b'[' * 65_536) == ''; assert reason_in(b'[' * 30_000 + b']' * 30_000) == ''"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT)
    assert await process.wait() == 0
