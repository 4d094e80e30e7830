"""The page that asks a member's wallet to sign: over HTTP, and in a browser whose wallet is put into it."""

import json
import shutil
from collections.abc import AsyncGenerator
from typing import Any, cast

import aiohttp
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from playwright.async_api import Page, async_playwright, expect
from yarl import URL

from bot.story.ownership import LIFETIME
from bot.workflows.registering.wallets import Challenge
from storage.reviewing import audit
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, private

KEY: LocalAccount = Account.from_key("0x" + "11" * 32)
OTHER: LocalAccount = Account.from_key("0x" + "22" * 32)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
in_a_browser = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium")


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild whose bot has a web server that the world reaches."""
    return await make_community(callbacks=True)


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def ask(community: Community, account: LocalAccount = KEY, *, who: int | None = None) -> Challenge:
    challenge = await community.app.services.registering.wallets.challenge(
        who or community.ada.id, account.address, name="ada", guild_id=community.guild.id
    )
    assert challenge.page
    return challenge


def sign(message: str, account: LocalAccount = KEY) -> str:
    return "0x" + account.sign_message(encode_defunct(text=message)).signature.hex().removeprefix("0x")


async def message_of(session: aiohttp.ClientSession, page: str) -> str:
    """What the page asks to sign."""
    async with session.get(page) as response:
        text = await response.text()
        assert response.status == 200, text
    return text.split('<pre id="message">')[1].split("</pre>")[0]


async def post(
    session: aiohttp.ClientSession, page: str | None, signature: str, **headers: str
) -> tuple[int, dict[str, Any]]:
    assert page
    async with session.post(page, json={"signature": signature}, headers=headers) as response:
        text = await response.text()
        return response.status, json.loads(text) if response.status == 200 else {}


async def linked_wallet(community: Community, who: int | None = None) -> str | None:
    wallet = await community.app.services.registering.wallets.of(who or community.ada.id)
    return wallet.address if wallet else None


async def test_the_text_is_eip_4361s_of_the_pages_own_domain(
    community: Community, session: aiohttp.ClientSession
) -> None:
    challenge = await ask(community)
    message = await message_of(session, challenge.page or "")
    page = URL(challenge.page or "")
    lines = message.splitlines()
    assert lines[0] == f"{page.host}:{page.port} wants you to sign in with your Ethereum account:"
    assert lines[1] == KEY.address
    assert f"URI: {page}" in lines
    assert "Chain ID: 1315" in lines
    assert f"Request ID: {community.ada.id}" in lines
    assert f"my Discord account ada ({community.ada.id})" in message


async def test_a_signature_that_comes_over_the_page_links_once(
    community: Community, session: aiohttp.ClientSession
) -> None:
    challenge = await ask(community)
    signature = sign(await message_of(session, challenge.page or ""))
    status, answer = await post(session, challenge.page, signature)
    assert (status, answer["linked"]) == (200, True)
    assert await linked_wallet(community) == KEY.address
    async with community.app.database.read() as db:
        (entry,) = await audit.about(db, f"wallet {community.ada.id}")
    assert (entry.actor_id, entry.guild_id) == (community.ada.id, community.guild.id)

    await community.app.services.registering.wallets.unlink(community.ada.id, guild_id=community.guild.id)
    _, answer = await post(session, challenge.page, signature)
    assert not answer["linked"]
    assert "used already" in answer["sentence"]
    assert await linked_wallet(community) is None


async def test_the_pages_signature_may_be_pasted_and_the_plain_text_signed_elsewhere(
    community: Community, session: aiohttp.ClientSession
) -> None:
    wallets = community.app.services.registering.wallets
    challenge = await ask(community)
    await wallets.prove(
        community.ada.id, sign(await message_of(session, challenge.page or "")), guild_id=community.guild.id
    )
    challenge = await ask(community, OTHER)
    await wallets.prove(community.ada.id, sign(challenge.message, OTHER), guild_id=community.guild.id)
    assert await linked_wallet(community) == OTHER.address


async def test_what_is_wrong_is_said_and_links_nothing(community: Community, session: aiohttp.ClientSession) -> None:
    challenge = await ask(community)
    message = await message_of(session, challenge.page or "")
    for signature, phrase in (
        (sign(message, OTHER), f"by {OTHER.address}"),
        (sign("Hello"), "of another text"),
        ("0x12", "it has 2 digits"),
    ):
        _, answer = await post(session, challenge.page, signature)
        assert not answer["linked"]
        assert phrase in answer["sentence"], answer
    assert await linked_wallet(community) is None


async def test_a_members_page_takes_no_signature_for_another(
    community: Community, session: aiohttp.ClientSession
) -> None:
    ada, ben = await ask(community), await ask(community, who=community.ben.id)
    signature = sign(await message_of(session, ada.page or ""))
    _, answer = await post(session, ben.page, signature)
    assert not answer["linked"]
    assert await linked_wallet(community, community.ben.id) is None
    nonce = (ada.page or "").rpartition("-")[2]
    stolen = f"{(ben.page or '').rpartition('-')[0]}-{nonce}"
    _, answer = await post(session, stolen, signature)
    assert "no such page" in answer["sentence"]


async def test_a_page_is_over_with_its_message(community: Community, session: aiohttp.ClientSession) -> None:
    older = await ask(community)
    signature = sign(await message_of(session, older.page or ""))
    challenge = await ask(community)
    async with session.get(older.page or "") as response:
        assert response.status == 410
        assert "newer one" in await response.text()
    assert not (await post(session, older.page, signature))[1]["linked"]
    await community.clock.turn(LIFETIME + 1)
    async with session.get(challenge.page or "") as response:
        assert response.status == 410
        assert "10 minutes, which are over" in await response.text()
    for wrong in ("wallet/1-abc", f"wallet/{'9' * 19}-{'a' * 20}", "wallet/", "wallet/../page.html"):
        async with session.get(URL(challenge.page or "").origin().joinpath(*wrong.split("/"))) as response:
            assert response.status == 404, wrong


async def test_nothing_of_others_is_loaded_and_others_cannot_frame_or_post(
    community: Community, session: aiohttp.ClientSession
) -> None:
    challenge = await ask(community)
    page = URL(challenge.page or "")
    async with session.get(page) as response:
        text, headers = await response.text(), response.headers
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "//" not in text.split("<body>")[0], "no address of another host"
    signature = sign(await message_of(session, challenge.page or ""))
    assert (await post(session, challenge.page, signature, **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
    async with session.post(page, data={"signature": signature}) as response:
        assert response.status == 415
    async with session.post(page, data=b"{" * 20_000, headers={"Content-Type": "application/json"}) as response:
        assert response.status == 413
    async with session.post(page, data=b"{}", headers={"Content-Type": "application/json"}) as response:
        assert response.status == 400
    assert await linked_wallet(community) is None


async def test_the_card_leads_to_the_page_where_there_is_one(community: Community) -> None:
    asked = await community.ada.slash(community.studio, "wallet link", address=KEY.address)
    assert asked.response
    text = json.dumps(asked.response.components)
    assert "Open the page that asks your wallet" in text
    assert f"http://127.0.0.1:{community.services.web_port}/wallet/{community.ada.id}-" in text
    assert KEY.address not in private(await community.ada.slash(community.studio, "wallet show"))


# In a browser.

WALLET = """
window.ethereum = {
  request: async ({ method, params }) => {
    if (method === "eth_requestAccounts") return ACCOUNTS;
    if (method === "personal_sign") {
      if (REFUSES) throw { code: 4001, message: "User rejected the request." };
      return await window.signWithKey(params[0], params[1]);
    }
    throw { code: 4200, message: "unsupported" };
  },
};
"""


@pytest.fixture
async def tab() -> AsyncGenerator[Page]:
    """A tab in which a wallet can sign with `KEY`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()

        def sign_with_key(message: str, address: str) -> str:
            assert address.lower() == KEY.address.lower()
            return sign(bytes.fromhex(message[2:]).decode())

        await cast("Any", page).expose_function("signWithKey", sign_with_key)
        yield page
        await browser.close()


async def put_wallet(tab: Page, *, accounts: list[str], refuses: bool = False) -> None:
    script = WALLET.replace("ACCOUNTS", json.dumps(accounts)).replace("REFUSES", json.dumps(refuses))
    await tab.add_init_script(script)


@in_a_browser
async def test_a_wallet_of_a_browser_signs_and_is_linked(community: Community, tab: Page) -> None:
    complaints: list[str] = []
    tab.on("console", lambda entry: complaints.append(entry.text) if entry.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    await put_wallet(tab, accounts=[OTHER.address, KEY.address.lower()])
    challenge = await ask(community)
    await tab.goto(challenge.page or "")
    await tab.get_by_role("button", name="Sign with your wallet").click()
    await expect(tab.locator("#status")).to_contain_text("is linked to your Discord account")
    assert await linked_wallet(community) == KEY.address
    assert [each for each in complaints if "favicon" not in each] == []


@in_a_browser
async def test_a_wallet_with_another_account_or_an_owner_who_declines_links_nothing(
    community: Community, tab: Page
) -> None:
    challenge = await ask(community)
    await put_wallet(tab, accounts=[OTHER.address])
    await tab.goto(challenge.page or "")
    await tab.get_by_role("button").click()
    await expect(tab.locator("#status")).to_contain_text(f"Your wallet offers {OTHER.address}")
    await put_wallet(tab, accounts=[KEY.address], refuses=True)
    await tab.goto(challenge.page or "")
    await tab.get_by_role("button").click()
    await expect(tab.locator("#status")).to_contain_text("You declined")
    await expect(tab.get_by_role("button")).to_be_enabled()
    assert await linked_wallet(community) is None


@in_a_browser
async def test_a_wallet_that_announces_itself_has_a_button_with_its_name(community: Community, tab: Page) -> None:
    """EIP-6963: several wallets in one browser."""
    await put_wallet(tab, accounts=[KEY.address])
    await tab.add_init_script(
        """
        const provider = window.ethereum;
        delete window.ethereum;
        window.addEventListener("eip6963:requestProvider", () => window.dispatchEvent(
          new CustomEvent("eip6963:announceProvider", { detail: { info: { name: "Rabby <b>" }, provider } })));
        """
    )
    challenge = await ask(community)
    await tab.goto(challenge.page or "")
    await tab.get_by_role("button", name="Sign with Rabby <b>").click()
    await expect(tab.locator("#status")).to_contain_text("is linked")


@in_a_browser
async def test_without_a_wallet_or_with_a_bot_that_is_away_the_page_says_what_to_do(
    community: Community, tab: Page
) -> None:
    challenge = await ask(community)
    await tab.goto(challenge.page or "")
    await expect(tab.locator("#status")).to_contain_text("There is no wallet in this browser")
    await put_wallet(tab, accounts=[KEY.address])
    await tab.goto(challenge.page or "")
    await tab.route("**/wallet/*-*", lambda route: route.abort())
    await tab.get_by_role("button").click()
    await expect(tab.locator("#signature")).to_contain_text("0x")
    pasted = await tab.locator("#signature").inner_text()
    await community.app.services.registering.wallets.prove(community.ada.id, pasted, guild_id=community.guild.id)
    assert await linked_wallet(community) == KEY.address
