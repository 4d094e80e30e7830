"""The client against the stand-in of Pinata, which behaves as the service does, and as it hopefully never will."""

import asyncio
import contextlib
import hashlib
import logging
import time
import traceback
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable
from bot.http import client as http
from bot.http.client import Timeouts
from bot.pinning.cid import cids_of, parse
from bot.pinning.interface import Pin, PinFile, PinningService
from bot.pinning.pinata import LARGEST_UPLOAD, Pinata
from standins.base import faults
from standins.base.faults import Fault, Trouble
from standins.pinata import FILES, FULL, LEGACY, READ_ONLY, REVOKED, PinataServer
from standins.pinata.faults import rate_limits
from standins.pinata.service import Scopes
from tests.scenes.clock import Clock
from tests.scenes.pinnable import METADATA, OWL, a_file

KEY = "pinata-jwt-0123-very-secret"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> PinataServer:
    return PinataServer(clock=clock, keys={KEY: FULL})


@contextlib.asynccontextmanager
async def account(
    service: PinataServer, *, gateway: str | None = None, timeouts: Timeouts = http.DEFAULT_TIMEOUTS
) -> AsyncGenerator[Pinata]:
    async with TestServer(service.app()) as server, http.session() as session:
        origin = str(server.make_url("/").origin())
        yield Pinata(
            session, key=SecretStr(KEY), uploads=origin, api=origin, gateway=gateway or origin, timeouts=timeouts
        )


@pytest.fixture
async def client(service: PinataServer) -> AsyncGenerator[Pinata]:
    async with account(service) as opened:
        yield opened


@pytest.fixture
def owl(tmp_path: Path) -> PinFile:
    return a_file(tmp_path)


def kinds(service: PinataServer) -> list[str]:
    return [received.kind for received in service.requests]


async def test_a_file_is_pinned_for_everybody_under_the_cid_that_is_computed_here(
    service: PinataServer, client: Pinata, owl: PinFile
) -> None:
    pinata: PinningService = client

    pin = await pinata.pin(owl)

    assert pin == Pin(service="pinata", cid=cids_of(OWL).by_profile["v1"], pin_id=f"v3:{service.files[0].id}")
    assert list(service.forms) == [{"network": "public", "name": "owl.png", "cid_version": "v1"}]
    assert (service.files[0].network, service.files[0].media_type) == ("public", "image/png")
    assert service.archive.content(service.files[0].content) == OWL
    assert service.requests[0].key == f"Bearer {KEY}"


async def test_metadata_is_pinned_as_its_exact_bytes_under_its_own_hash(client: Pinata, tmp_path: Path) -> None:
    pin = await client.pin(a_file(tmp_path, METADATA, name="ip.json", media_type="application/json"))
    assert parse(pin.cid).multihash[2:] == hashlib.sha256(METADATA).digest()


async def test_a_file_is_read_back_through_the_gateway_without_the_key(
    service: PinataServer, client: Pinata, owl: PinFile, tmp_path: Path
) -> None:
    pin = await client.pin(owl)
    await client.read(pin.cid, tmp_path / "back", cap=owl.size)

    assert (tmp_path / "back").read_bytes() == OWL
    asked = service.requests[-1]
    assert (asked.path, asked.query, asked.key) == (f"/ipfs/{pin.cid}", "", None)


async def test_an_older_key_uploads_the_older_way_and_is_known_for_it_from_then_on(
    service: PinataServer, client: Pinata, owl: PinFile, tmp_path: Path
) -> None:
    service.keys[KEY] = LEGACY

    pin = await client.pin(owl)
    await client.pin(a_file(tmp_path, METADATA, name="ip.json", media_type="application/json"))

    assert pin == Pin(service="pinata", cid=cids_of(OWL).by_profile["v1"], pin_id="legacy")
    assert kinds(service) == ["upload", "pin", "pin"]
    assert service.forms[0] == {"pinataOptions": '{"cidVersion": 1}', "pinataMetadata": '{"name": "owl.png"}'}
    assert service.files[1].name == "ip.json"

    await client.unpin(pin)
    assert [file.name for file in service.files] == ["ip.json"]

    service.keys[KEY] = FILES  # the admin has given it other rights
    await client.pin(owl)
    assert kinds(service)[-2:] == ["pin", "upload"]


@pytest.mark.parametrize("scopes", [READ_ONLY, REVOKED, frozenset[str]()])
async def test_a_key_that_may_not_upload_is_tried_both_ways_and_the_admin_is_told_what_it_needs(
    service: PinataServer, client: Pinata, owl: PinFile, scopes: Scopes | None
) -> None:
    service.keys[KEY] = scopes
    with pytest.raises(Broken, match=r"does not accept the key .* set PINATA_JWT to one with Files: Write"):
        await client.pin(owl)
    assert kinds(service) == ["upload", "pin"]


async def test_the_same_bytes_again_are_the_same_pin(service: PinataServer, client: Pinata, owl: PinFile) -> None:
    first = await client.pin(owl)
    assert await client.pin(replace(owl, name="another-name.png")) == first
    assert len(service.files) == 1


@pytest.mark.parametrize("pending_as", ["null", "pending"])
async def test_a_file_that_has_no_cid_yet_is_looked_at_again(
    service: PinataServer, client: Pinata, owl: PinFile, clock: Clock, pending_as: str
) -> None:
    service.quirks.pending = 5
    service.quirks.pending_as = "null" if pending_as == "null" else "pending"

    with pytest.raises(Unavailable, match="not named it yet") as later:
        await client.pin(owl)
    assert later.value.retry_after == 3
    assert kinds(service) == ["upload", "look"]

    clock.time += 5
    assert (await client.pin(owl)).cid == cids_of(OWL).by_profile["v1"]
    assert len(service.files) == 1


async def test_a_file_that_is_named_a_moment_later_needs_no_second_upload(
    service: PinataServer, client: Pinata, owl: PinFile, clock: Clock
) -> None:
    service.quirks.pending = 1

    async def a_second() -> None:
        clock.time += 1

    service.faults.append(Fault("upload", faults.waits(a_second)))

    assert (await client.pin(owl)).cid == cids_of(OWL).by_profile["v1"]
    assert kinds(service) == ["upload", "look"]


async def test_a_key_that_may_only_write_waits_for_the_name_by_uploading_again(
    service: PinataServer, client: Pinata, owl: PinFile, clock: Clock
) -> None:
    service.keys[KEY] = frozenset({"org:files:write"})
    service.quirks.pending = 1
    with pytest.raises(Unavailable):
        await client.pin(owl)
    clock.time += 1
    assert (await client.pin(owl)).cid == cids_of(OWL).by_profile["v1"]
    assert len(service.files) == 1


async def test_a_file_on_the_private_network_is_no_pin_and_is_not_left_there(
    service: PinataServer, client: Pinata, owl: PinFile
) -> None:
    service.quirks.private = "told"
    with pytest.raises(Broken, match="private network"):
        await client.pin(owl)
    assert service.files == []


async def test_a_file_is_let_go_and_a_second_time_is_fine(service: PinataServer, client: Pinata, owl: PinFile) -> None:
    pin = await client.pin(owl)
    await client.unpin(pin)
    assert service.files == []
    await client.unpin(pin)
    await client.unpin(pin.model_copy(update={"pin_id": "legacy"}))
    assert kinds(service) == ["upload", "delete", "delete", "unpin"]


async def test_a_file_that_was_pinned_by_an_older_key_is_let_go_by_its_cid(
    service: PinataServer, client: Pinata, owl: PinFile
) -> None:
    pin = await client.pin(owl)
    await client.unpin(pin.model_copy(update={"pin_id": None}))
    assert service.files == []


@pytest.mark.parametrize("scopes", [FULL, LEGACY])
async def test_a_file_whose_upload_was_never_answered_is_found_by_its_cid_and_let_go(
    service: PinataServer, client: Pinata, owl: PinFile, scopes: Scopes
) -> None:
    service.keys[KEY] = scopes
    pin = await client.pin(owl)
    await client.unpin(Pin(service="pinata", cid=pin.cid))
    assert not service.files
    await client.unpin(Pin(service="pinata", cid=pin.cid))


async def test_a_service_that_is_asked_too_often_says_when_it_may_be_asked_again(
    service: PinataServer, client: Pinata, owl: PinFile
) -> None:
    service.faults.append(Fault("upload", rate_limits(time.time() + 41)))
    with pytest.raises(Unavailable) as busy:
        await client.pin(owl)
    assert busy.value.retry_after == pytest.approx(40, abs=2)
    assert kinds(service) == ["upload"]


@pytest.mark.parametrize("scopes", [FILES, LEGACY])
async def test_a_plan_that_is_used_up_is_named(
    service: PinataServer, client: Pinata, owl: PinFile, scopes: Scopes
) -> None:
    service.keys[KEY] = scopes
    service.quota = 1000
    with pytest.raises(Broken, match="plan is used up"):
        await client.pin(owl)


@pytest.mark.parametrize(
    "trouble",
    [
        faults.answers(500),
        faults.answers(502),
        faults.answers(503, retry_after=7),
        faults.fails_after(502),
        faults.fails_after(504),
        faults.hangs_up(),
        faults.loses_the_answer(),
        faults.html(),
        faults.malformed(),
    ],
)
async def test_an_upload_that_goes_wrong_is_made_again_and_leaves_one_file(
    service: PinataServer, client: Pinata, owl: PinFile, trouble: Trouble
) -> None:
    service.faults.append(Fault("upload", trouble))
    with pytest.raises(Unavailable):
        await client.pin(owl)

    assert (await client.pin(owl)).cid == cids_of(OWL).by_profile["v1"]
    assert len(service.files) == 1


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (faults.answers(402, {"error": {"code": 402, "message": "Payment required"}}), "plan is used up"),
        (faults.answers(403, {"error": "You have reached your plan's limit"}), "plan is used up"),
        (faults.answers(400, {"error": {"code": 400, "message": "Bad name"}}), "turned the file down: Bad name"),
        (faults.answers(413, "<h1>Too large</h1>"), "turned the file down: Too large"),
        (faults.answers(422, {"error": {"reason": "ODD", "details": "Odd."}}), "turned the file down: ODD: Odd."),
        (faults.answers(404, "404 page not found"), "no longer has"),
        (faults.redirects("https://evil.example/v3/files"), "has moved elsewhere"),
        (faults.answers(200, {"data": {"cid": "b"}}), "form that this bot does not know"),
        (faults.answers(200, {"data": {"id": "1", "cid": "../../etc/passwd"}}), "not a CID"),
    ],
)
async def test_what_no_retry_can_mend_is_for_the_admin(
    service: PinataServer, client: Pinata, owl: PinFile, trouble: Trouble, sentence: str
) -> None:
    service.faults.append(Fault("upload", trouble))
    with pytest.raises(Broken, match=sentence):
        await client.pin(owl)
    assert service.files == []


async def test_a_slow_service_is_given_up(service: PinataServer, owl: PinFile) -> None:
    never = asyncio.Event()
    service.faults.append(Fault("upload", faults.waits(never.wait)))
    async with account(service, timeouts=Timeouts(idle=0.2, total=0.2)) as client:
        with pytest.raises(Unavailable):
            await client.pin(owl)
        never.set()


async def test_a_new_file_that_the_gateway_does_not_have_yet_is_asked_for_again(
    service: PinataServer, client: Pinata, owl: PinFile, clock: Clock, tmp_path: Path
) -> None:
    service.quirks.visible_after = 20
    pin = await client.pin(owl)
    for restricted in (True, False):
        service.quirks.restricted = restricted
        with pytest.raises(Unavailable, match="or not yet") as later:
            await client.read(pin.cid, tmp_path / "back", cap=owl.size)
        assert later.value.retry_after == 10
    clock.time += 20
    await client.read(pin.cid, tmp_path / "back", cap=owl.size)
    assert (tmp_path / "back").read_bytes() == OWL


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (faults.answers(500), Unavailable),
        (faults.answers(429), Unavailable),
        (faults.hangs_up(), Unavailable),
        (faults.truncates(), Unavailable),
        (faults.floods(len(OWL) + 1), Broken),
        (faults.redirects("http://127.0.0.1:1/ipfs/x", 302), Broken),
    ],
)
async def test_a_gateway_that_goes_wrong_leaves_no_file(
    service: PinataServer, client: Pinata, owl: PinFile, tmp_path: Path, trouble: Trouble, error: type[BotError]
) -> None:
    pin = await client.pin(owl)
    service.faults.append(Fault("gateway", trouble, times=2))  # aiohttp asks twice where a kept connection is dropped
    with pytest.raises(error):
        await client.read(pin.cid, tmp_path / "back", cap=owl.size)
    assert not (tmp_path / "back").exists()


async def test_what_is_no_cid_is_never_put_into_an_address(
    service: PinataServer, client: Pinata, tmp_path: Path
) -> None:
    for text in ("../v3/files", "bafkrei/..", "Qm?x=1"):
        with pytest.raises(Refused):
            await client.read(text, tmp_path / "back", cap=10)
        with pytest.raises(Refused):
            await client.unpin(Pin(service="pinata", cid=text))
    assert not service.requests


async def test_the_key_goes_neither_to_a_gateway_nor_to_where_one_leads(
    service: PinataServer, owl: PinFile, tmp_path: Path
) -> None:
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        if "again" not in request.query:
            raise web.HTTPFound(f"{request.path}?again")
        return web.Response(body=OWL)

    app = web.Application()
    app.router.add_get("/ipfs/{cid}", answer)
    async with TestServer(app) as other, account(service, gateway=str(other.make_url("/").origin())) as client:
        pin = await client.pin(owl)
        await client.read(pin.cid, tmp_path / "back", cap=owl.size)
    assert seen == [None, None]


@pytest.mark.parametrize("status", [400, 401, 403, 500])
async def test_the_key_is_in_no_message_log_or_traceback(
    service: PinataServer, client: Pinata, owl: PinFile, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    echo = {"error": {"reason": "NO", "details": f"Authorization: Bearer {KEY} is refused"}}
    service.faults += [Fault(kind, faults.answers(status, echo)) for kind in ("upload", "pin")]
    with caplog.at_level(logging.DEBUG), pytest.raises(BotError) as error:
        await client.pin(owl)
    text = "".join(traceback.format_exception(error.value)) + caplog.text + repr(client) + str(error.value)
    assert KEY not in text
    assert "[key]" in caplog.text


async def test_a_check_proves_that_the_key_may_pin_and_leaves_nothing(service: PinataServer, client: Pinata) -> None:
    assert await client.check() == "Pinata takes files, and lets them go, by a key for files."
    assert kinds(service) == ["upload", "delete"]
    assert service.files == []

    service.keys[KEY] = LEGACY
    assert await client.check() == "Pinata takes files, and lets them go, by an older key."
    assert service.files == []


async def test_a_check_tells_of_a_key_that_may_pin_and_not_delete(service: PinataServer, client: Pinata) -> None:
    service.keys[KEY] = frozenset({"pinFileToIPFS"})
    assert "what is withdrawn would stay pinned" in await client.check()


async def test_a_check_fails_for_a_key_that_passes_pinatas_own(service: PinataServer, client: Pinata) -> None:
    service.keys[KEY] = READ_ONLY
    with pytest.raises(Broken, match="PINATA_JWT"):
        await client.check()
    service.keys[KEY] = FULL
    service.quirks.wrong_cid = True
    with pytest.raises(Broken, match="does not compute"):
        await client.check()


async def test_a_file_too_large_for_one_upload_is_not_begun(
    service: PinataServer, client: Pinata, owl: PinFile
) -> None:
    with pytest.raises(Broken, match="at most 94,371,840 bytes"):
        await client.pin(replace(owl, size=LARGEST_UPLOAD + 1))
    assert not service.requests


@pytest.mark.parametrize("size", [len(OWL) - 1, len(OWL) + 1])
async def test_a_file_that_is_not_as_long_as_it_should_be_is_not_sent_to_its_end_and_holds_nobody_up(
    service: PinataServer, client: Pinata, owl: PinFile, size: int
) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await client.pin(replace(owl, size=size))
    assert service.files == []


@pytest.mark.parametrize("origin", ["http://uploads.example.com", "https://uploads.pinata.cloud/v3", "ftp://x", ""])
async def test_the_key_has_no_home_at_an_address_that_is_no_origin_or_not_encrypted(origin: str) -> None:
    async with http.session() as session:
        with pytest.raises(ValueError, match=r"not an origin|must be https"):
            Pinata(session, key=SecretStr(KEY), uploads=origin)
        with pytest.raises(ValueError, match=r"not an origin|must be https"):
            Pinata(session, key=SecretStr(KEY), api=origin)


@pytest.mark.parametrize(
    "change", [{"name": 'an"owl.png'}, {"name": "eule-ü.png"}, {"name": ""}, {"media_type": "image"}, {"sha256": "5E"}]
)
def test_a_file_is_described_in_words_that_survive_a_form(owl: PinFile, change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot describe a file"):
        replace(owl, **change)
