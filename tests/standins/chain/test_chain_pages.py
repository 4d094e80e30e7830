"""The pages show what is on the chain to somebody who has never seen one, and trust nothing that stands in metadata."""

import re
from collections.abc import AsyncGenerator
from html import unescape

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from standins.chain import ACCOUNTS, NCSR, NOBODY, ChainServer, contracts, ip_id
from tests.scenes.chains import Client

BOT, ADA, BEN = ACCOUNTS["bot"], ACCOUNTS["ada"], ACCOUNTS["ben"]
GATEWAY = "http://127.0.0.1:8080/ipfs/"
NASTY = '"><script>alert(1)</script>'
LAP = "0xBe54FB168b3c982b7AaE60dB6CF75Bd8447b390E"
REMIX = (
    True, LAP, 3 * 10**18, 0, True, True, NOBODY, b"", 5_000_000, 0, True, True, False, True, 0,
    contracts()["WIP"].address, "https://example.com/remix.json",
)  # fmt: skip
ATTACHMENT, DERIVATIVE = contracts()["LicenseAttachmentWorkflows"], contracts()["DerivativeWorkflows"]


class Visitor:
    def __init__(self, client: Client) -> None:
        self.client = client

    async def open(self, path: str, *, status: int = 200) -> str:
        async with self.client.session.get(self.client.url.rstrip("/") + path) as response:
            assert response.status == status
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            html = await response.text()
        assert "<script>" not in html
        assert 'href="javascript:' not in html
        return html

    async def read(self, path: str, *, status: int = 200) -> str:
        """The page's words, as one line."""
        words = re.sub(r"<(title|style)>.*?</\1>|<[^>]+>", " ", await self.open(path, status=status))
        return " ".join(unescape(words).split())


@pytest.fixture
async def visitor() -> AsyncGenerator[Visitor]:
    chain = ChainServer()
    async with TestServer(chain.app()) as served, aiohttp.ClientSession() as session:
        chain.gateway = GATEWAY  # known only when everything is up
        yield Visitor(Client(session, str(served.make_url("/"))))
    await chain.close()


@pytest.fixture
async def collection(visitor: Visitor) -> str:
    registration = contracts()["RegistrationWorkflows"]
    params = (f"Fox {NASTY}", "FOX", "", "", 100, 0, NOBODY, NOBODY, BOT.address, True, False)
    sent = await visitor.client.send(BOT, registration.address, registration.call("createCollection", params))
    return "0x" + (await visitor.client.receipt(sent))["logs"][-1]["topics"][1][-40:]


async def register_image(visitor: Visitor, collection: str, *terms: tuple[object, ...], uri: str = "ipfs://cid") -> str:
    """The transaction that registers Ada's image."""
    config = (False, 0, NOBODY, b"", 0, False, 0, NOBODY)
    metadata = (uri, bytes([1] * 32), f"{uri}-nft", bytes([2] * 32))
    call = ATTACHMENT.call(
        "mintAndRegisterIpAndAttachPILTerms",
        collection,
        ADA.address,
        metadata,
        [(each, config) for each in terms],
        False,
    )
    sent = await visitor.client.send(BOT, ATTACHMENT.address, call)
    assert (await visitor.client.receipt(sent))["status"] == "0x1"
    return sent


async def test_an_asset_is_shown_with_its_owner_licence_and_history(visitor: Visitor, collection: str) -> None:
    sent = await register_image(visitor, collection, NCSR, REMIX)
    page = await visitor.read(f"/ipa/{ip_id(collection, 1)}")

    assert f"Fox {NASTY} #1" in page
    assert f"Owner Ada {ADA.address}" in page
    assert "It may not be used commercially. Others may remix it, with credit, under the same terms." in page
    assert (
        "Commercial remixing (terms 2) It may be used commercially, with credit. Others may remix it, with credit, "
        "under the same terms. 5 % of what that earns goes to its owner. A licence costs 3 WIP." in page
    )
    assert "Nothing: it is an original." in page
    assert f"Metadata ipfs://cid SHA-256 0x{'01' * 32}" in page
    assert sent in page
    assert "UTC" in page


async def test_a_derivative_and_its_parent_name_each_other(visitor: Visitor, collection: str) -> None:
    await register_image(visitor, collection, NCSR)
    parent, child = ip_id(collection, 1), ip_id(collection, 2)
    derivative = ([parent], contracts()["PILicenseTemplate"].address, [1], b"", 0, 10**8, 10**8)
    metadata = ("ipfs://c", bytes([3] * 32), "ipfs://d", bytes([4] * 32))
    call = DERIVATIVE.call("mintAndRegisterIpAndMakeDerivative", collection, derivative, metadata, BEN.address, False)
    await visitor.client.send(BOT, DERIVATIVE.address, call)

    assert f"Made from {parent}" in await visitor.read(f"/ipa/{child}")
    assert f"Made from it {child}" in await visitor.read(f"/ipa/{parent}")


async def test_the_browser_is_sent_to_the_local_gateway_and_never_to_a_script(
    visitor: Visitor, collection: str
) -> None:
    await register_image(visitor, collection, NCSR, uri="https://gateway.pinata.cloud/ipfs/bafy/meta.json")
    html = await visitor.open(f"/ipa/{ip_id(collection, 1)}")
    assert f'data-uri="{GATEWAY}bafy/meta.json"' in html
    assert f'data-hash="0x{"01" * 32}"' in html


async def test_a_link_cannot_break_out_of_its_place(visitor: Visitor, collection: str) -> None:
    await register_image(visitor, collection, NCSR, uri=f"https://example.com/{NASTY}")

    assert f"https://example.com/{NASTY}" in await visitor.read(f"/ipa/{ip_id(collection, 1)}")


@pytest.mark.parametrize("uri", ["javascript:alert(1)", NASTY, "data:text/html,hello", ""])
async def test_an_address_that_is_none_is_only_shown(visitor: Visitor, collection: str, uri: str) -> None:
    await register_image(visitor, collection, NCSR, uri=uri)

    html = await visitor.open(f"/ipa/{ip_id(collection, 1)}")
    assert 'data-uri=""' in html
    assert (uri or "none") in unescape(html)


async def test_a_transaction_says_what_it_did(visitor: Visitor, collection: str) -> None:
    sent = await register_image(visitor, collection, NCSR)
    page = await visitor.read(f"/tx/{sent}")

    assert "Outcome Done" in page
    assert "From Bot" in page
    assert "To LicenseAttachmentWorkflows" in page
    assert "IP asset registered in IPAssetRegistry" in page
    assert "Licence terms attached in LicensingModule" in page
    failed = await visitor.client.send(BOT, contracts()["RegistrationWorkflows"].address, b"\0\0\0\0", gas=100_000)
    assert "Reverted: nothing has changed" in await visitor.read(f"/tx/{failed}")


async def test_a_waiting_transaction_is_looked_at_again_by_itself(visitor: Visitor) -> None:
    sent = await visitor.client.send(BOT, ADA.address, nonce=5)  # behind a gap

    assert "It waits for a block." in await visitor.read(f"/tx/{sent}")
    async with visitor.client.session.get(f"{visitor.client.url}tx/{sent}") as response:
        assert response.headers["Refresh"] == "2"


async def test_an_address_shows_its_money_and_assets(visitor: Visitor, collection: str) -> None:
    await register_image(visitor, collection, NCSR)

    page = await visitor.read(f"/address/{ADA.address.lower()}")
    assert "Ada" in page
    assert "1,000.0000 IP" in page
    assert f"Fox {NASTY} #1" in page
    assert "None." in await visitor.read(f"/address/{BEN.address}")
    assert "A contract" in await visitor.read(f"/address/{ATTACHMENT.address}")


async def test_what_is_not_there_is_said_to_be_missing(visitor: Visitor) -> None:
    assert "No IP asset has this id" in await visitor.read(f"/ipa/{ADA.address}", status=404)
    assert "No IP asset has this id" in await visitor.read("/ipa/none", status=404)
    assert "No transaction has this hash" in await visitor.read(f"/tx/0x{'00' * 32}", status=404)
    assert "No transaction has this hash" in await visitor.read("/tx/1", status=404)
    assert "This is no address" in await visitor.read("/address/ada", status=404)
    assert "Nothing has been registered yet." in await visitor.read("/")
