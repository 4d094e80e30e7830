"""Registering in the sandbox, as a newcomer does it: from the picture to a page that shows what the chain has."""

import hashlib
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Locator, expect
from playwright.async_api import Page as Tab
from pydantic import AnyHttpUrl, SecretStr

from bot.assembly.publishing import pins_of
from bot.config import Settings
from bot.http import client as http
from bot.pinning.interface import PinFile
from sandbox.collection import with_collection
from sandbox.services import KEY, Addresses, serving
from sandbox.wallets import Wallets, signature
from standins.chain.accounts import ADA, BOT, OLGA
from tests.sandbox.test_sandbox import PATIENCE, Sandbox, begin, card, cards, is_drawn, sandbox, tab
from tests.sandbox.test_sandbox_page import discord_in, imagine, in_a_browser

__all__ = ["sandbox", "tab"]  # fixtures

TITLE = "The Fox of the Pass"
AT_SPEED = pytest.mark.parametrize("sandbox", ["8"], indirect=True)
"""An approval can be undone for seven seconds and a half."""
VERIFIED = "Read back and verified: the chain and the pinned files say exactly what was approved."


async def become(tab: Tab, person: str, place: str) -> None:
    await tab.get_by_role("button", name=person).click()
    await tab.get_by_role("button", name=place, exact=True).click()


async def submit_registration(tab: Tab) -> Locator:
    """As Ada: draw a picture, press Register, give it a title, look at it, submit it. Gives its card."""
    await imagine(tab, "a fox with a map")
    fox = card(tab, "a fox with a map")
    await is_drawn(fox)
    await fox.get_by_role("button", name="Register").click()
    shown = discord_in(tab)
    await shown.get_by_role("button", name="Edit text").click()
    form = shown.locator("#modal-root")
    await form.locator("[name=title]").fill(TITLE)
    await form.get_by_role("button", name="Submit").click()
    draft = cards(tab).filter(has_text=f"{TITLE}: a registration to submit")
    await expect(draft).to_contain_text("Public, and there for good")
    await draft.get_by_role("button", name="Submit").click()
    waiting = cards(tab).filter(has_text=f"{TITLE}: waiting for a moderator")
    await expect(waiting.get_by_role("button", name="Withdraw")).to_be_visible(timeout=PATIENCE)
    return cards(tab).filter(has_text=f"{TITLE}: ").filter(has_text="A picture of")


async def press_as_mia(tab: Tab, *labels: str) -> None:
    """One button of the card in #review after the other, each when it is there."""
    await become(tab, "Mia", "review")
    for label in labels:
        await discord_in(tab).get_by_role("button", name=label, exact=True).last.click()
    await expect(discord_in(tab).get_by_role("button", name="Undo")).to_be_visible(timeout=PATIENCE)


@in_a_browser
@AT_SPEED
async def test_a_newcomer_registers_a_picture_and_reads_it_on_the_chain(tab: Tab) -> None:
    registration = await submit_registration(tab)
    await press_as_mia(tab, "Approve", "Undo", "Approve")
    await become(tab, "Ada", "studio")
    await expect(registration).to_contain_text(VERIFIED, timeout=3 * PATIENCE)
    await expect(registration.get_by_role("button", name="Withdraw")).to_have_count(0)

    async with tab.context.expect_page() as opened:
        await registration.locator("a[href*='/ipa/']").first.click()
    page = await opened.value
    await expect(page.get_by_role("heading", name=TITLE)).to_be_visible(timeout=PATIENCE)
    await expect(page.locator("#image-check")).to_contain_text("These are the registered bytes", timeout=PATIENCE)
    await expect(page.locator("#check")).to_contain_text("The metadata is what was registered")
    assert await page.locator("#image").evaluate("image => image.naturalWidth") > 1000
    await expect(page.locator("dt:has-text('Owner') + dd")).to_contain_text(OLGA.address)
    await expect(page.locator("dt:has-text('Licence') + dd")).to_contain_text("It may not be used commercially.")

    for name in ("picture", "IP metadata", "NFT metadata"):
        link = await registration.get_by_role("link", name=name, exact=True).get_attribute("href")
        assert link
        answer = await tab.context.request.get(link)
        assert answer.ok, name
    await page.get_by_role("link", name="A chain of your own").click()
    await expect(page.get_by_role("link", name="Night Owl Studio #1")).to_be_visible()


@in_a_browser
@AT_SPEED
async def test_one_that_was_approved_is_registered_once_though_everything_is_killed_meanwhile(
    sandbox: Sandbox, tab: Tab
) -> None:
    await submit_registration(tab)
    await press_as_mia(tab, "Approve")
    await sandbox.end(signal.SIGKILL)
    await expect(tab.get_by_text("The sandbox is stopped")).to_be_visible(timeout=PATIENCE)

    await sandbox.start()
    await become(tab, "Ada", "studio")
    await expect(cards(tab).filter(has_text=VERIFIED)).to_have_count(1, timeout=3 * PATIENCE)
    await expect(cards(tab).filter(has_text="is registered as")).to_have_count(1)
    await expect(cards(tab)).to_have_count(2)


@in_a_browser
async def test_a_newcomer_links_a_wallet_with_the_page_that_signs(tab: Tab) -> None:
    await begin(tab, "wallet link")
    shown = discord_in(tab)
    await shown.locator(".command-option-input").first.wait_for()
    await tab.keyboard.type(ADA.address)
    await tab.keyboard.press("Enter")
    message = await shown.locator("pre").inner_text(timeout=PATIENCE)

    async with tab.context.expect_page() as opened:
        await tab.get_by_role("link", name="Wallets").click()
    wallets = await opened.value
    await wallets.get_by_label("The message").fill(message)
    await wallets.get_by_role("button", name="Sign it").click()
    signed = await wallets.locator("#signature").inner_text()

    await shown.get_by_role("button", name="I have signed it").click()
    form = shown.locator("#modal-root")
    await form.locator("[name=signature]").fill(signed)
    await form.get_by_role("button", name="Submit").click()
    await expect(cards(tab).last).to_contain_text("Your wallet is linked", timeout=PATIENCE)


def test_a_wallet_signs_what_a_browser_makes_of_the_message() -> None:
    assert signature(ADA, "one\r\ntwo\r\n") == signature(ADA, "one\ntwo")
    assert len(signature(ADA, "one")) == 132
    assert Wallets().app()


def settings_for(services: Addresses, folder: Path) -> Settings:
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
        discord_token=SecretStr("no-token-is-needed-in-a-test"),
        bfl_api_key=SecretStr(KEY),
        wallet_private_key=SecretStr(BOT.key),
        rpc_provider_url=SecretStr(services.chain),
        pinata_jwt=SecretStr(KEY),
        pinata_api_url=AnyHttpUrl(services.pinata),
        pinata_uploads_url=AnyHttpUrl(services.pinata),
        pinata_gateway_url=AnyHttpUrl(services.pinata),
        data_dir=folder / "bot",
    )


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with http.session() as session:
        yield session


def a_file(folder: Path, content: bytes) -> PinFile:
    path = folder / "picture.png"
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return PinFile(path=path, name=path.name, media_type="image/png", sha256=sha256, size=len(content))


@asynccontextmanager
async def scratch(folder: Path) -> AsyncGenerator[Path]:
    yield folder / "scratch"


async def test_chain_pins_and_collection_outlive_a_restart_and_another_folder_has_its_own(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    content = b"a picture, as far as this test is concerned"
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    async with serving(first, speed=20) as services:
        settings = await with_collection(settings_for(services, first), first)
        pins = pins_of(settings, session)
        assert pins
        pinned = await pins.pin(a_file(tmp_path, content), scratch=partial(scratch, tmp_path))

    async with serving(first, speed=20) as again, serving(second, speed=20) as other:
        assert again == services
        assert not {again.chain, again.pinata} & {other.chain, other.pinata}
        settled = await with_collection(settings_for(again, first), first)
        assert settled.spg_nft_contract_address == settings.spg_nft_contract_address
        async with session.get(f"{again.pinata}/ipfs/{pinned.cid}") as answer:
            assert await answer.read() == content
        async with session.get(f"{other.pinata}/ipfs/{pinned.cid}") as answer:
            assert answer.status == 403
