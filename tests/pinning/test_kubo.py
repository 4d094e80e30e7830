"""The client against the stand-in of an IPFS node's RPC, and the stand-in itself."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable
from bot.http import client as http
from bot.http.client import DEFAULT_TIMEOUTS, Timeouts
from bot.pinning.cid import cids_of
from bot.pinning.interface import Pin, PinFile, PinningService
from bot.pinning.kubo import Kubo
from standins.base import faults
from standins.base.faults import Fault, Trouble
from standins.kubo import KuboServer
from tests.scenes.pinnable import OWL, a_file

TOKEN = "kubo-token-0123-very-secret"
CID = cids_of(OWL).by_profile["v1"]


@pytest.fixture
def node() -> KuboServer:
    return KuboServer(token=TOKEN)


@contextlib.asynccontextmanager
async def at(
    node: KuboServer, token: str | None = TOKEN, timeouts: Timeouts = DEFAULT_TIMEOUTS
) -> AsyncGenerator[Kubo]:
    async with TestServer(node.app()) as server, http.session() as session:
        base = str(server.make_url("/").origin())
        yield Kubo(session, base=base, token=SecretStr(token) if token else None, timeouts=timeouts)


@pytest.fixture
async def client(node: KuboServer) -> AsyncGenerator[Kubo]:
    async with at(node) as opened:
        yield opened


@pytest.fixture
def owl(tmp_path: Path) -> PinFile:
    return a_file(tmp_path)


async def test_a_file_is_added_with_every_parameter_named_and_pinned(
    node: KuboServer, client: Kubo, owl: PinFile
) -> None:
    kubo: PinningService = client

    assert await kubo.pin(owl) == Pin(service="kubo", cid=CID)

    assert [(file.cid, file.content, file.pinned) for file in node.files] == [(CID, OWL, True)]
    assert parse_qs(node.requests[0].query) == {
        "cid-version": ["1"],
        "raw-leaves": ["true"],
        "chunker": ["size-262144"],
        "max-file-links": ["174"],
        "hash": ["sha2-256"],
        "pin": ["true"],
        "progress": ["false"],
    }
    assert node.requests[0].key == f"Bearer {TOKEN}"


async def test_a_file_is_read_back_from_the_node_itself_with_the_token(
    node: KuboServer, client: Kubo, owl: PinFile, tmp_path: Path
) -> None:
    pin = await client.pin(owl)
    await client.read(pin.cid, tmp_path / "back", cap=owl.size)
    assert (tmp_path / "back").read_bytes() == OWL
    assert (node.requests[-1].method, node.requests[-1].kind) == ("POST", "cat")
    assert node.requests[-1].key == f"Bearer {TOKEN}"


async def test_a_file_is_let_go_and_a_second_time_is_fine(node: KuboServer, client: Kubo, owl: PinFile) -> None:
    pin = await client.pin(owl)
    assert await client.pin(owl) == pin
    await client.unpin(pin)
    assert [file.pinned for file in node.files] == [False]
    await client.unpin(pin)
    assert await client.pin(owl) == pin
    assert [file.pinned for file in node.files] == [True]


async def test_a_node_without_a_door_needs_no_token(owl: PinFile) -> None:
    node = KuboServer()
    async with at(node, token=None) as client:
        await client.pin(owl)
    assert node.requests[0].key is None


async def test_a_wrong_token_is_for_the_admin(node: KuboServer, owl: PinFile) -> None:
    async with at(node, token="old") as client:
        with pytest.raises(Broken, match="set KUBO_RPC_TOKEN"):
            await client.pin(owl)


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (faults.answers(500, {"Message": "blockstore: no space left", "Code": 0, "Type": "error"}), Unavailable),
        (faults.fails_after(502), Unavailable),
        (faults.hangs_up(), Unavailable),
        (faults.loses_the_answer(), Unavailable),
        (faults.html(), Unavailable),
        (faults.malformed(), Unavailable),
        (faults.answers(200, ""), Unavailable),
        (faults.answers(200, '{"Name":"owl.png","Bytes":262144}\n'), Unavailable),
        (faults.answers(429, "slow down", retry_after=9), Unavailable),
        (faults.answers(402, "Trial expired"), Broken),
        (faults.answers(400, {"Message": "bad", "Code": 1, "Type": "error"}), Broken),
        (faults.answers(404, "404 page not found"), Broken),
        (faults.answers(200, {"Hash": "owl"}), Broken),
        (faults.redirects("https://evil.example/"), Broken),
    ],
)
async def test_an_add_that_goes_wrong_says_what_happens_next_and_may_be_repeated(
    node: KuboServer, client: Kubo, owl: PinFile, trouble: Trouble, error: type[BotError]
) -> None:
    node.faults.append(Fault("add", trouble))
    with pytest.raises(error):
        await client.pin(owl)
    assert (await client.pin(owl)).cid == CID
    assert len(node.files) == 1


async def test_a_node_that_breaks_off_after_its_status_has_not_taken_the_file(
    node: KuboServer, client: Kubo, owl: PinFile
) -> None:
    node.quirks.breaks_off = True
    with pytest.raises(Unavailable, match="broke off"):
        await client.pin(owl)


async def test_a_node_that_does_not_answer_is_given_up(node: KuboServer, owl: PinFile) -> None:
    never = asyncio.Event()
    node.faults.append(Fault("add", faults.waits(never.wait)))
    async with at(node, timeouts=Timeouts(idle=0.2, total=0.2)) as client:
        with pytest.raises(Unavailable):
            await client.pin(owl)
        never.set()


async def test_lines_about_progress_are_passed_over(node: KuboServer, client: Kubo, owl: PinFile) -> None:
    lines = f'{{"Name":"owl.png","Bytes":262144}}\n\n{{"Name":"owl.png","Hash":"{CID}","Size":"700128"}}\n'
    node.faults.append(Fault("add", faults.answers(200, lines)))
    assert (await client.pin(owl)).cid == CID


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (faults.answers(500, {"Message": "context deadline exceeded", "Code": 0, "Type": "error"}), Unavailable),
        (faults.hangs_up(), Unavailable),
        (faults.truncates(), Unavailable),
        (faults.floods(len(OWL) + 1), Broken),
        (faults.redirects("https://evil.example/"), Broken),
    ],
)
async def test_a_read_that_goes_wrong_leaves_no_file(
    node: KuboServer, client: Kubo, owl: PinFile, tmp_path: Path, trouble: Trouble, error: type[BotError]
) -> None:
    pin = await client.pin(owl)
    node.faults.append(Fault("cat", trouble))
    with pytest.raises(error):
        await client.read(pin.cid, tmp_path / "back", cap=owl.size)
    assert not (tmp_path / "back").exists()


async def test_what_the_node_does_not_have_is_not_there_yet(client: Kubo, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await client.read(CID, tmp_path / "back", cap=10)
    with pytest.raises(Refused):
        await client.read("../pin/ls", tmp_path / "back", cap=10)


async def test_a_check_proves_that_the_node_takes_files_and_leaves_nothing(node: KuboServer, client: Kubo) -> None:
    assert await client.check() == "The IPFS node takes files, and lets them go (Kubo 0.43.0)."
    assert not any(file.pinned for file in node.files)
    node.quirks.has_version = False
    assert await client.check() == "The IPFS node takes files, and lets them go."
    node.quirks.wrong_cid = True
    with pytest.raises(Broken, match="does not compute"):
        await client.check()


@pytest.mark.parametrize(
    ("base", "label"),
    [
        ("https://rpc.filebase.io", "Filebase"),
        ("https://upload.lighthouse.storage", "Lighthouse"),
        ("https://notfilebase.io", "The IPFS node"),
        ("http://127.0.0.1:5001", "The IPFS node"),
    ],
)
async def test_a_service_is_called_by_its_name(base: str, label: str) -> None:
    async with http.session() as session:
        assert Kubo(session, base=base).label == label


@pytest.mark.parametrize("base", ["http://ipfs.example.com:5001", "http://127.0.0.1:5001/api", ""])
async def test_a_node_is_named_by_its_origin_and_plain_http_is_for_this_machine(base: str) -> None:
    async with http.session() as session:
        with pytest.raises(ValueError, match=r"not an origin|must be https"):
            Kubo(session, base=base)


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_the_token_is_in_no_message_and_no_log(
    node: KuboServer, client: Kubo, owl: PinFile, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    node.faults.append(Fault("add", faults.answers(status, {"Message": f"{TOKEN} is odd"})))
    with caplog.at_level(logging.DEBUG), pytest.raises(BotError) as error:
        await client.pin(owl)
    assert TOKEN not in caplog.text + str(error.value)
    assert "[key] is odd" in caplog.text


async def test_the_stand_in_takes_post_alone_and_forgets_nothing_at_a_restart(tmp_path: Path, owl: PinFile) -> None:
    node = KuboServer(state=tmp_path / "kubo.db")
    async with at(node, token=None) as client:
        await client.pin(owl)
        await client.pin(a_file(tmp_path, b"another"))
        await client.unpin(Pin(service="kubo", cid=cids_of(b"another").by_profile["v1"]))
    again = KuboServer(state=tmp_path / "kubo.db")
    async with TestServer(again.app()) as server, aiohttp.ClientSession() as session:
        async with session.get(server.make_url("/api/v0/version")) as response:
            assert response.status == 405
        async with session.post(server.make_url(f"/api/v0/cat?arg={CID}")) as response:
            assert await response.read() == OWL
        async with session.post(server.make_url("/api/v0/pin/ls")) as response:
            assert list((await response.json())["Keys"]) == [CID]


async def test_the_stand_ins_own_defaults_are_kubos(owl: PinFile) -> None:
    async with TestServer(KuboServer().app()) as server, aiohttp.ClientSession() as session:
        form = {"file": owl.path.open("rb")}
        async with session.post(server.make_url("/api/v0/add?raw-leaves=false"), data=form) as response:
            lines = (await response.text()).splitlines()
    assert len(lines) == 2
    assert cids_of(OWL).by_profile["v0"] in lines[1]
