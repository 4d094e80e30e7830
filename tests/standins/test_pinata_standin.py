"""The stand-in of Pinata behaves as the service is documented, and as it has been seen to."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from yarl import URL

from bot.pinning.cid import Cid, cids_of, parse
from standins.pinata import FILES, FULL, LEGACY, READ_ONLY, REVOKED, PinataServer
from standins.pinata.service import Scopes
from tests.scenes.clock import Clock

PAGE = b"<!DOCTYPE html><title>An owl</title>"
OWL = b"\x89PNG an owl"
CID = cids_of(OWL).by_profile["v1"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock, tmp_path: Path) -> PinataServer:
    keys: dict[str, Scopes | None] = {
        "full": FULL,
        "files": FILES,
        "older": LEGACY,
        "read": READ_ONLY,
        "revoked": REVOKED,
    }
    return PinataServer(clock=clock, keys=keys, state=tmp_path / "pinata.db")


class Caller:
    """Somebody with an HTTP client and a key."""

    def __init__(self, session: aiohttp.ClientSession, origin: URL) -> None:
        self._session = session
        self._origin = origin
        self.headers: Any = {}

    async def ask(self, method: str, path: str, *, key: str | None = "full", **body: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self._session.request(method, self._origin.join(URL(path)), headers=headers, **body) as response:
            self.headers = response.headers
            is_json = response.content_type == "application/json"
            return response.status, await (response.json() if is_json else response.read())

    async def upload(self, content: bytes = OWL, *, key: str = "full", **fields: str) -> tuple[int, Any]:
        return await self.ask("POST", "/v3/files", key=key, data=form(content, **fields))

    async def pin(self, content: bytes = OWL, *, key: str = "full", **fields: str) -> tuple[int, Any]:
        return await self.ask("POST", "/pinning/pinFileToIPFS", key=key, data=form(content, **fields))


def form(content: bytes, *, media_type: str = "image/png", **fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData(fields)
    made.add_field("file", content, filename="owl.png", content_type=media_type)
    return made


@pytest.fixture
async def caller(service: PinataServer) -> AsyncGenerator[Caller]:
    async with TestServer(service.app()) as server, aiohttp.ClientSession() as session:
        yield Caller(session, server.make_url("/"))


async def test_a_file_is_private_unless_it_is_said_to_be_public(caller: Caller) -> None:
    _, private = await caller.upload()
    _, public = await caller.upload(network="public")

    assert (private["data"]["network"], public["data"]["network"]) == ("private", "public")
    assert private["data"]["id"] != public["data"]["id"]
    assert public["data"]["cid"] == CID
    assert public["data"]["size"] == len(OWL)
    assert public["data"]["created_at"] == "2025-11-21T04:40:00.000Z"


async def test_the_gateway_serves_the_very_bytes_of_public_files_in_either_version_of_their_cid(caller: Caller) -> None:
    large = OWL * 40_000  # more than a chunk: its two CIDs name one tree
    _, kept = await caller.upload(large, network="public", cid_version="v0")
    assert kept["data"]["cid"].startswith("Qm")

    older = parse(kept["data"]["cid"])
    for cid in (older, Cid(1, older.codec, older.multihash)):
        assert await caller.ask("GET", f"/ipfs/{cid}", key=None) == (200, large)
        assert caller.headers["Content-Type"] == "image/png"
        assert "immutable" in caller.headers["Cache-Control"]


async def test_the_gateway_has_nothing_that_is_private_unknown_or_a_web_page(
    service: PinataServer, caller: Caller
) -> None:
    await caller.upload()
    assert (await caller.ask("GET", f"/ipfs/{CID}", key=None))[0] == 403
    service.quirks.restricted = False
    assert (await caller.ask("GET", f"/ipfs/{CID}", key=None))[0] == 404
    assert (await caller.ask("GET", "/ipfs/owl", key=None))[0] == 400
    _, page = await caller.upload(PAGE, media_type="text/html", network="public")
    assert (await caller.ask("GET", f"/ipfs/{page['data']['cid']}", key=None))[0] == 403


async def test_the_same_bytes_again_are_a_duplicate_in_both_generations(service: PinataServer, caller: Caller) -> None:
    _, first = await caller.upload(network="public")
    _, again = await caller.upload(network="public")
    _, older = await caller.pin()

    assert (first["data"]["is_duplicate"], again["data"]["is_duplicate"]) == (False, True)
    assert first["data"]["id"] == again["data"]["id"]
    assert older == {
        "IpfsHash": CID,
        "PinSize": len(OWL),
        "Timestamp": "2025-11-21T04:40:00.000Z",
        "isDuplicate": True,
    }
    assert len(service.files) == 1


async def test_a_restart_forgets_nothing(service: PinataServer, caller: Caller, tmp_path: Path) -> None:
    await caller.upload(network="public")
    await caller.pin(b"another")
    await caller.ask("DELETE", f"/pinning/unpin/{cids_of(b'another').by_profile['v1']}")

    again = PinataServer(keys={}, state=tmp_path / "pinata.db")
    async with TestServer(again.app()) as server, aiohttp.ClientSession() as session:
        assert await Caller(session, server.make_url("/")).ask("GET", f"/ipfs/{CID}", key=None) == (200, OWL)
    assert again.files == service.files


@pytest.mark.parametrize(
    ("key", "v3", "legacy"),
    [("full", 200, 200), ("files", 200, 403), ("older", 403, 200), ("read", 403, 403), ("revoked", 403, 403)],
)
async def test_each_generation_takes_its_own_keys_and_the_test_of_keys_takes_all(
    caller: Caller, key: str, v3: int, legacy: int
) -> None:
    assert (await caller.upload(key=key))[0] == v3
    assert (await caller.pin(key=key))[0] == legacy
    assert (await caller.ask("GET", "/data/testAuthentication", key=key))[0] == (403 if key == "revoked" else 200)


async def test_refusals_are_written_as_each_generation_writes_them(caller: Caller) -> None:
    assert await caller.ask("GET", "/v3/files/public", key=None) == (
        401,
        {"error": {"code": 401, "message": "no Authorization header found"}},
    )
    status, refusal = await caller.pin(key="revoked")
    assert (status, refusal["error"]["reason"]) == (403, "API_KEY_REVOKED")
    status, refusal = await caller.pin(key="files")
    assert (status, refusal["error"]["reason"]) == (403, "NO_SCOPES_FOUND")
    status, refusal = await caller.ask("DELETE", f"/pinning/unpin/{CID}")
    assert (status, refusal["error"]["reason"]) == (400, "CURRENT_USER_HAS_NOT_PINNED_CID")
    assert (await caller.ask("POST", "/v3/files", data={"network": "public"}))[0] == 400
    assert (await caller.upload(cid_version="2"))[0] == 400
    assert (await caller.pin(pinataOptions="{"))[0] == 400


async def test_files_are_listed_looked_at_and_deleted(caller: Caller) -> None:
    _, kept = await caller.upload(network="public", name="An owl")
    id_ = kept["data"]["id"]

    _, listed = await caller.ask("GET", f"/v3/files/public?cid={CID}&limit=1")
    assert [file["id"] for file in listed["data"]["files"]] == [id_]
    assert (await caller.ask("GET", f"/v3/files/public/{id_}"))[1]["data"]["name"] == "An owl"
    assert (await caller.ask("GET", f"/v3/files/private/{id_}"))[0] == 404
    _, older = await caller.ask("GET", f"/data/pinList?status=pinned&cid={CID}", key="older")
    assert [(row["ipfs_pin_hash"], row["metadata"]["name"]) for row in older["rows"]] == [(CID, "An owl")]

    assert await caller.ask("DELETE", f"/v3/files/public/{id_}") == (200, {"data": None})
    assert (await caller.ask("DELETE", f"/v3/files/public/{id_}"))[0] == 404


async def test_more_than_the_limit_in_a_minute_is_turned_away_until_the_minute_is_over(
    service: PinataServer, caller: Caller, clock: Clock
) -> None:
    service.per_minute = 2
    await caller.upload(network="public")
    clock.time += 20
    await caller.upload(network="public")
    assert (await caller.upload(network="public"))[0] == 429
    assert caller.headers["X-RateLimit-Reset"] == str(int(clock.time + 40))
    assert (caller.headers["X-RateLimit-Limit"], caller.headers["X-RateLimit-Remaining"]) == ("2", "0")
    clock.time += 41
    assert (await caller.upload(network="public"))[0] == 200


async def test_a_new_file_may_have_no_cid_for_a_while(service: PinataServer, caller: Caller, clock: Clock) -> None:
    service.quirks.pending = 5
    _, kept = await caller.upload(network="public")
    assert kept["data"]["cid"] is None
    _, unnamed = await caller.ask("GET", "/v3/files/public?cidPending=true")
    assert len(unnamed["data"]["files"]) == 1
    assert (await caller.ask("GET", f"/ipfs/{CID}", key=None))[0] == 403

    clock.time += 5
    assert (await caller.ask("GET", f"/v3/files/public/{kept['data']['id']}"))[1]["data"]["cid"] == CID
    assert await caller.ask("GET", f"/ipfs/{CID}", key=None) == (200, OWL)


async def test_uploads_stop_at_a_quarter_above_the_quota(service: PinataServer, caller: Caller) -> None:
    service.quota = 8
    assert (await caller.upload(b"x" * 10, network="public"))[0] == 200
    assert (await caller.upload(b"y", network="public"))[0] == 403
