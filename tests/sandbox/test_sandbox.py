"""The sandbox as a newcomer meets it: the real product behind one link, in a browser; restarted, stopped, killed."""

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Locator, async_playwright, expect
from playwright.async_api import Page as Tab
from yarl import URL

from sandbox.training_pictures import FOLDER
from tests import ROOT
from tests.sandbox.test_sandbox_page import CHROMIUM, discord_in, imagine, in_a_browser

pytestmark = in_a_browser

SPEED = "4"  # the bot looks after three seconds for the first time: until then a job can be interrupted
PATIENCE = 20_000.0  # milliseconds, on a computer that has much else to do


@dataclass
class Sandbox:
    """`python -m sandbox` in a process of its own, on a folder that outlives it."""

    folder: Path
    speed: str = SPEED
    port: int = 0
    url: str = ""
    process: Process | None = None

    async def start(self) -> None:
        """Start it, and read the one link. Started again, it keeps its port, so that an open page finds it."""
        command = ["-m", "sandbox", "--folder", str(self.folder), "--port", str(self.port), "--speed", self.speed]
        self.process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=PIPE)
        assert self.process.stdout
        async for line in self.process.stdout:
            if link := re.search(r"http://\S+", line.decode()):
                self.url = link[0]
                self.port = URL(self.url).port or 0
                return
        pytest.fail("the sandbox ended before it said its link")

    async def end(self, number: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 20)


@pytest.fixture
async def sandbox(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncGenerator[Sandbox]:
    sandbox = Sandbox(tmp_path / "sandbox", speed=getattr(request, "param", SPEED))
    await sandbox.start()
    yield sandbox
    if sandbox.process and sandbox.process.returncode is None:
        await sandbox.end(signal.SIGKILL)


@pytest.fixture
async def tab(sandbox: Sandbox) -> AsyncGenerator[Tab]:
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = await browser.new_page()
        tab.set_default_timeout(PATIENCE)
        await tab.goto(sandbox.url)
        yield tab


def cards(tab: Tab) -> Locator:
    return discord_in(tab).locator(".channel-message .component-container")


def card(tab: Tab, prompt: str) -> Locator:
    """The newest card with that prompt."""
    return cards(tab).filter(has_text=prompt).last


async def is_drawn(one: Locator) -> None:
    await expect(one.locator("img[src^='blob:']")).to_be_visible(timeout=PATIENCE)
    await expect(one.get_by_role("button", name="Again")).to_be_enabled(timeout=PATIENCE)


async def waits(one: Locator) -> None:
    await expect(one).to_contain_text(re.compile("In the queue|Drawing"), timeout=PATIENCE)
    await expect(one.locator("img")).to_have_count(0)


async def begin(tab: Tab, command: str) -> None:
    await discord_in(tab).locator("#channel-composer-input").click()
    await tab.keyboard.type(f"/{command}")
    await discord_in(tab).get_by_role("option", name=re.compile(rf"^\W{command}\b")).wait_for()
    await tab.keyboard.press("Enter")


async def choose_a_quick_model(tab: Tab) -> None:
    await begin(tab, "settings")
    await discord_in(tab).get_by_role("option", name="model").click()
    await discord_in(tab).get_by_role("option", name="Good pictures quickly").click()
    await tab.keyboard.press("Enter")
    await expect(discord_in(tab).locator(".channel-message").last).to_contain_text("Model: FLUX 1.1", timeout=PATIENCE)


async def show(tab: Tab, request: str) -> None:
    await begin(tab, "show")
    await discord_in(tab).locator(".command-option-input").wait_for()
    await tab.keyboard.type(request)
    await tab.keyboard.press("Enter")


async def test_a_newcomer_restarts_and_kills_it_under_running_jobs_and_loses_nothing(
    sandbox: Sandbox, tab: Tab
) -> None:
    await choose_a_quick_model(tab)

    await imagine(tab, "a fox with a map")
    fox = card(tab, "a fox with a map")
    await waits(fox)
    countdown = fox.locator("time").first
    await expect(countdown).not_to_have_text(await countdown.inner_text(), timeout=PATIENCE)
    await is_drawn(fox)
    request = await fox.locator("code").last.inner_text()

    await imagine(tab, "a lighthouse at dawn")
    lighthouse = card(tab, "a lighthouse at dawn")
    await waits(lighthouse)
    restart = tab.get_by_role("button", name="Restart the bot")
    await restart.click()
    await expect(restart).to_be_enabled(timeout=PATIENCE)
    await is_drawn(lighthouse)

    await lighthouse.get_by_role("button", name="Again").click()
    await expect(cards(tab)).to_have_count(3, timeout=PATIENCE)
    await waits(cards(tab).last)
    await asyncio.sleep(1)  # for the order's answer: without it, nobody could tell whether it was charged
    await waits(cards(tab).last)
    await sandbox.end(signal.SIGKILL)
    await expect(tab.get_by_text("The sandbox is stopped")).to_be_visible(timeout=PATIENCE)

    await sandbox.start()
    await is_drawn(card(tab, "a lighthouse at dawn"))
    await expect(cards(tab)).to_have_count(1)

    await show(tab, request)
    await is_drawn(fox)
    await fox.get_by_role("button", name="Details").click()
    details = discord_in(tab).locator(".channel-message").filter(has_text=f"Request {request}")
    await expect(details).to_contain_text("SHA-256", timeout=PATIENCE)

    assert await sandbox.end(signal.SIGTERM) == 0


async def test_a_newcomer_trains_on_the_ready_made_teapot_and_is_told_when_it_can_draw(tab: Tab) -> None:
    await begin(tab, "finetune create")
    shown = discord_in(tab)
    await shown.locator(".command-option-input").first.wait_for()
    await tab.keyboard.type("Teapot")
    await tab.keyboard.press("Tab")
    await tab.keyboard.type("product")
    await shown.get_by_role("option", name="product").wait_for()
    await tab.keyboard.press("Enter")
    await tab.keyboard.press("Enter")
    form = shown.locator("#modal-root")
    await form.locator("input[type=file]").first.set_input_files(FOLDER / "teapot.zip")
    await form.get_by_role("button", name="Submit").click()

    await shown.get_by_role("button", name="Start training").click()
    await form.get_by_text("I confirm that").click()
    await form.get_by_role("button", name="Submit").click()
    await expect(cards(tab).last).to_contain_text("waiting for a moderator", timeout=PATIENCE)

    await tab.get_by_role("button", name="Mia").click()
    await tab.get_by_role("button", name="review", exact=True).click()
    await discord_in(tab).get_by_role("button", name="Approve").click()

    await tab.get_by_role("button", name="Ada").click()
    await tab.get_by_role("button", name="studio", exact=True).click()
    await expect(cards(tab).last).to_contain_text("Teapot is ready to draw with", timeout=3 * PATIENCE)
    await expect(cards(tab).last.get_by_role("button", name="Draw with it")).to_be_enabled()
