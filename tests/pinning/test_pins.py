"""A file at several services: proven, compared, missing, let go."""

import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.errors import Broken, Unavailable
from bot.http import client as http
from bot.pinning.cid import DAG_PB, Cid, Profile, cids_of, parse
from bot.pinning.interface import Pin, PinFile
from bot.pinning.kubo import Kubo
from bot.pinning.pinata import Pinata
from bot.pinning.pins import Pins, Proven, Scratch
from standins.base import faults
from standins.base.faults import Fault
from standins.kubo import KuboServer
from standins.pinata import PinataServer
from storage.media import Media
from tests.scenes.pinnable import OWL, a_file, scratch_in

KEY = "sandbox-key"
CIDS = cids_of(OWL).by_profile
CID = CIDS["v1"]


@pytest.fixture
def pinata() -> PinataServer:
    return PinataServer()


@pytest.fixture
def node() -> KuboServer:
    return KuboServer()


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with http.session() as lent:
        yield lent


@pytest.fixture
async def first(pinata: PinataServer, session: aiohttp.ClientSession) -> AsyncGenerator[Pinata]:
    async with TestServer(pinata.app()) as server:
        origin = str(server.make_url("/").origin())
        yield Pinata(session, key=SecretStr(KEY), uploads=origin, api=origin, gateway=origin)


@pytest.fixture
async def second(node: KuboServer, session: aiohttp.ClientSession) -> AsyncGenerator[Kubo]:
    async with TestServer(node.app()) as server:
        yield Kubo(session, base=str(server.make_url("/").origin()))


@pytest.fixture
def pins(first: Pinata, second: Kubo) -> Pins:
    return Pins(first, [second])


@pytest.fixture
def owl(tmp_path: Path) -> PinFile:
    return a_file(tmp_path)


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return scratch_in(tmp_path / "scratch")


def kinds(pinata: PinataServer) -> list[str]:
    return [received.kind for received in pinata.requests]


async def test_a_file_is_pinned_everywhere_under_the_cid_that_was_known_before(
    pins: Pins, pinata: PinataServer, node: KuboServer, owl: PinFile, scratch: Scratch
) -> None:
    expected = await pins.expected(owl.path)

    proven = await pins.pin(owl, scratch=scratch)

    assert (proven.cid, proven.profile, proven.missing) == (expected, "v1", ())
    assert [(pin.service, pin.cid) for pin in proven.pins] == [("pinata", CID), ("kubo", CID)]
    assert kinds(pinata) == ["upload"]  # nothing had to be read back
    assert Proven.model_validate_json(proven.model_dump_json()) == proven
    assert [service.name for service in pins.services] == ["pinata", "kubo"]
    assert node.files[0].content == OWL


@pytest.mark.parametrize("profile", ["v0", "v1-1m", "v1-2025"])
async def test_a_service_that_cuts_files_otherwise_in_a_known_way_is_believed(
    first: Pinata, pinata: PinataServer, owl: PinFile, scratch: Scratch, profile: Profile
) -> None:
    pinata.quirks.profile = profile
    proven = await Pins(first).pin(owl, scratch=scratch)
    assert proven.cid == CIDS[profile]
    assert proven.profile in {name for name, cid in CIDS.items() if cid == CIDS[profile]}  # two ways are often one
    assert kinds(pinata) == ["upload"]


async def test_the_same_tree_in_the_other_version_of_its_cid_is_the_same_tree(
    first: Pinata, pinata: PinataServer, owl: PinFile, scratch: Scratch
) -> None:
    older = str(Cid(1, DAG_PB, parse(CIDS["v0"]).multihash))
    answer = {"data": {"id": "1", "cid": older, "network": "public"}}
    pinata.faults.append(Fault("upload", faults.answers(200, answer)))
    proven = await Pins(first).pin(owl, scratch=scratch)
    assert (proven.cid, proven.profile) == (older, "v0")


async def test_a_cid_that_is_not_computed_here_is_proven_by_reading_the_file_back(
    second: Kubo, node: KuboServer, owl: PinFile, scratch: Scratch, tmp_path: Path
) -> None:
    node.quirks.chunk = 100_000
    proven = await Pins(second).pin(owl, scratch=scratch)
    assert proven.profile is None
    assert proven.cid not in CIDS.values()
    assert [received.kind for received in node.requests] == ["add", "cat"]
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("trouble", ["other bytes", "fewer bytes", "more bytes"])
async def test_what_cannot_be_proven_is_refused(
    second: Kubo, node: KuboServer, owl: PinFile, scratch: Scratch, tmp_path: Path, trouble: str
) -> None:
    node.quirks.chunk = 100_000
    if trouble == "other bytes":
        node.quirks.corrupt = True
    elif trouble == "fewer bytes":
        node.faults.append(Fault("cat", faults.answers(200, OWL[:-1])))
    else:
        node.faults.append(Fault("cat", faults.answers(200, OWL + b"!")))
    with pytest.raises(Broken, match="could not be proven to hold these bytes"):
        await Pins(second).pin(owl, scratch=scratch)
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_a_wrong_cid_is_not_believed_even_if_it_is_one(
    first: Pinata, pinata: PinataServer, owl: PinFile, scratch: Scratch
) -> None:
    pinata.quirks.wrong_cid = True
    pinata.quirks.corrupt = True
    with pytest.raises(Broken, match="could not be proven"):
        await Pins(first).pin(owl, scratch=scratch)


async def test_a_wrong_raw_cid_is_not_believed_though_these_bytes_are_handed_out_for_it(
    first: Pinata, pinata: PinataServer, scratch: Scratch, tmp_path: Path
) -> None:
    """No other service would hand them out for it: a raw CID, as a small file has it, is the hash of its bytes."""
    pinata.quirks.wrong_cid = True
    with pytest.raises(Broken, match="could not be proven"):
        await Pins(first).pin(a_file(tmp_path, OWL[:1000]), scratch=scratch)


async def test_a_private_pin_is_refused(first: Pinata, pinata: PinataServer, owl: PinFile, scratch: Scratch) -> None:
    pinata.quirks.private = "told"
    with pytest.raises(Broken, match="private"):
        await Pins(first).pin(owl, scratch=scratch)


async def test_a_file_is_read_from_the_first_service_that_hands_it_out(
    pins: Pins, pinata: PinataServer, owl: PinFile, scratch: Scratch, tmp_path: Path
) -> None:
    proven = await pins.pin(owl, scratch=scratch)
    pinata.quirks.visible_after = 1e9
    await pins.read(proven.cid, tmp_path / "back", cap=owl.size)
    assert (tmp_path / "back").read_bytes() == OWL
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_a_mirror_that_fails_is_named_and_holds_up_nothing(
    pins: Pins, node: KuboServer, owl: PinFile, scratch: Scratch, caplog: pytest.LogCaptureFixture
) -> None:
    node.faults.append(Fault("add", faults.answers(500)))
    with caplog.at_level(logging.WARNING):
        proven = await pins.pin(owl, scratch=scratch)
    assert proven.missing == ("kubo",)
    assert [pin.service for pin in proven.pins] == ["pinata"]
    assert "kubo has no copy" in caplog.text

    again = await pins.pin(owl, scratch=scratch)
    assert (again.missing, len(again.pins)) == ((), 2)


async def test_a_mirror_must_prove_its_bytes_like_the_first(
    pins: Pins, node: KuboServer, owl: PinFile, scratch: Scratch
) -> None:
    node.quirks.chunk = 100_000
    node.quirks.corrupt = True
    proven = await pins.pin(owl, scratch=scratch)
    assert proven.missing == ("kubo",)
    assert [pin.service for pin in proven.pins] == ["pinata"]


async def test_a_mirror_with_the_bytes_under_another_cid_is_missing_and_still_to_be_let_go(
    pins: Pins, node: KuboServer, owl: PinFile, scratch: Scratch
) -> None:
    node.quirks.chunk = 1024 * 1024
    proven = await pins.pin(owl, scratch=scratch)
    assert proven.missing == ("kubo",)
    assert [(pin.service, pin.cid) for pin in proven.pins] == [("pinata", CID), ("kubo", CIDS["v1-1m"])]

    await pins.unpin(proven.pins)
    assert not any(file.pinned for file in node.files)


async def test_the_first_services_failure_is_the_failure_and_no_mirror_is_asked(
    pins: Pins, pinata: PinataServer, node: KuboServer, owl: PinFile, scratch: Scratch
) -> None:
    pinata.faults.append(Fault("upload", faults.answers(503, retry_after=30)))
    with pytest.raises(Unavailable) as busy:
        await pins.pin(owl, scratch=scratch)
    assert busy.value.retry_after == 30
    assert node.files == []


async def test_a_file_is_let_go_everywhere_and_a_failure_hinders_no_other(
    pins: Pins, pinata: PinataServer, node: KuboServer, owl: PinFile, scratch: Scratch
) -> None:
    proven = await pins.pin(owl, scratch=scratch)
    pinata.faults.append(Fault("delete", faults.answers(502)))
    with pytest.raises(Unavailable):
        await pins.unpin(proven.pins)
    assert not any(file.pinned for file in node.files)
    assert len(pinata.files) == 1

    await pins.unpin(proven.pins)
    assert pinata.files == []


async def test_a_service_that_is_no_longer_set_up_is_told_of_in_the_log(
    pins: Pins, caplog: pytest.LogCaptureFixture
) -> None:
    await pins.unpin([Pin(service="storacha", cid=CID)])
    assert f"storacha still has {CID} pinned" in caplog.text


async def test_a_damaged_or_missing_file_is_not_uploaded(
    pins: Pins, pinata: PinataServer, owl: PinFile, scratch: Scratch
) -> None:
    owl.path.write_bytes(OWL[:-1] + b"!")
    with pytest.raises(Broken, match="damaged"):
        await pins.pin(owl, scratch=scratch)
    owl.path.unlink()
    with pytest.raises(Broken, match="missing"):
        await pins.pin(owl, scratch=scratch)
    with pytest.raises(Broken, match="missing"):
        await pins.expected(owl.path)
    assert not pinata.requests


async def test_files_of_the_store_are_pinned_from_where_they_lie(
    second: Kubo, node: KuboServer, tmp_path: Path
) -> None:
    media = Media(tmp_path / "media")
    sha256 = await media.store(OWL)
    file = PinFile("owl.png", "image/png", media.path(sha256), sha256, len(OWL))
    node.quirks.chunk = 100_000
    assert (await Pins(second).pin(file, scratch=media.temporary)).profile is None


def test_two_services_have_two_names(first: Pinata) -> None:
    with pytest.raises(ValueError, match="the same name"):
        Pins(first, [first])
