"""The sandbox's page, used as a newcomer does: in a browser where there is one, over its HTTP where that is enough."""

import asyncio
import contextlib
import io
import json
import shutil
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Self, cast

import aiohttp
import discord
import pytest
from discord.ext import commands
from PIL import Image
from playwright.async_api import Browser, FrameLocator, async_playwright, expect
from playwright.async_api import Page as Tab

from sandbox.page import Link, Page
from sandbox.stage import Stage
from sandbox.world import World

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
in_a_browser = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium")


@dataclass
class Job:
    """What the product would keep in its database."""

    id: int
    channel: int
    message: int
    prompt: str


@dataclass
class Folder:
    """What outlives a restart of the bot, and the work that the test hands out."""

    jobs: list[Job] = field(default_factory=list[Job])
    work: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    starts: int = 0
    refuse: str = ""


class Press(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"1:(?P<verb>\w+):(?P<job>\d+)"):
    """A button that any bot, started at any time, can answer."""

    def __init__(self, verb: str, job: int) -> None:
        super().__init__(discord.ui.Button(label=verb.title(), custom_id=f"1:{verb}:{job}"))
        self.verb, self.job = verb, job

    @classmethod
    async def from_custom_id(cls, _: Any, __: discord.ui.Item[Any], match: Any) -> Self:
        return cls(match["verb"], int(match["job"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        if self.verb == "name":
            await interaction.response.send_modal(Name(self.job))
        else:
            await interaction.response.send_message(f"Pressed {self.verb} of {self.job}", ephemeral=True)


class Name(discord.ui.Modal, title="Name your image"):
    def __init__(self, job: int) -> None:
        super().__init__(custom_id=f"name:{job}:{time.time_ns()}", timeout=900)
        self.words: discord.ui.TextInput[Any] = discord.ui.TextInput()
        self.files: discord.ui.FileUpload[Any] = discord.ui.FileUpload(required=False)
        self.add_item(discord.ui.Label(text="Title", component=self.words))
        self.add_item(discord.ui.Label(text="Reference", component=self.files))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        sizes = [len(await file.read()) for file in self.files.values]
        await interaction.response.send_message(f"Named {self.words.value!r} with {sizes}", ephemeral=True)


def card(words: str, job: int, *, image: str = "") -> discord.ui.LayoutView:
    box: discord.ui.Container[Any] = discord.ui.Container(discord.ui.TextDisplay(words))
    if image:
        box.add_item(discord.ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{image}")))
        row: discord.ui.ActionRow[Any] = discord.ui.ActionRow(
            *cast("list[Any]", [Press("vary", job), Press("name", job)])
        )
        box.add_item(row)
    view = discord.ui.LayoutView(timeout=None)
    return view.add_item(box)


class TinyBot(commands.AutoShardedBot):
    def __init__(self, folder: Folder) -> None:
        super().__init__(commands.when_mentioned, intents=discord.Intents(guilds=True), help_command=None)
        self.folder = folder

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Press)
        self.tree.command()(self.imagine)
        self.tree.command()(self.late)
        self.tree.context_menu(name="Name this picture")(self.name_it)
        self.tree.context_menu(name="Count its letters")(self.count)
        await self.tree.sync()

    async def imagine(self, interaction: discord.Interaction[Any], prompt: str) -> None:
        """Draw a picture from a sentence."""
        await interaction.response.defer()
        message = await interaction.edit_original_response(view=card(f"{prompt}: waiting", interaction.id))
        self.folder.jobs.append(Job(interaction.id, message.channel.id, message.id, prompt))

    async def late(self, interaction: discord.Interaction[Any]) -> None:
        """Answer after Discord has given up."""
        await asyncio.sleep(3.2)
        await interaction.response.send_message("too late")

    async def name_it(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await interaction.response.send_modal(Name(message.id))

    async def count(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await interaction.response.send_message(f"{len(message.content)} letters", ephemeral=True)


async def work(bot: TinyBot, world: World) -> None:
    """A worker beside the bot: it says what the test tells it to say on every card, and delivers on "ready"."""
    while True:
        news = await bot.folder.work.get()
        for job in bot.folder.jobs:
            message = bot.get_partial_messageable(job.channel).get_partial_message(job.message)
            if news != "ready":
                await message.edit(view=card(f"{job.prompt}: {news}", job.id))
                continue
            picture = io.BytesIO()
            Image.effect_noise((1200, 900), 90).convert("RGB").save(picture, "PNG")
            picture.seek(0)
            name = f"{job.id}.png"
            await message.edit(view=card(job.prompt, job.id, image=name), attachments=[discord.File(picture, name)])
            await bot.get_partial_messageable(world.review.channel.id).send(f"For review: {job.prompt}")


@pytest.fixture
def folder() -> Folder:
    return Folder()


@pytest.fixture
def product(folder: Folder):
    @contextlib.asynccontextmanager
    async def run(world: World) -> AsyncGenerator[None]:
        if folder.refuse:
            raise RuntimeError(folder.refuse)
        folder.starts += 1
        bot = TinyBot(folder)
        async with bot, world.connected(bot):
            worker = asyncio.create_task(work(bot, world))
            try:
                yield
            finally:
                worker.cancel()
                await asyncio.gather(worker, return_exceptions=True)

    return run


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with World.open() as world:
        yield world


@pytest.fixture
def stage(product: Any, world: World) -> Stage:
    return Stage(product, world)


@pytest.fixture
async def page(world: World, stage: Stage) -> AsyncGenerator[Page]:
    links = [Link("Pinned files", "http://127.0.0.1:1/")]
    async with Page.open(world, stage, port=0, links=links) as page, stage.running():
        yield page


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as player:
        yield await player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
async def tab(browser: Browser, page: Page) -> Tab:
    tab = await browser.new_page()
    await tab.goto(str(page.url))
    return tab


def discord_in(tab: Tab) -> FrameLocator:
    return tab.frame_locator("iframe.shown")


async def imagine(tab: Tab, prompt: str) -> None:
    """Type /imagine and a prompt, as a person does."""
    shown = discord_in(tab)
    await shown.locator("#channel-composer-input").click()
    await tab.keyboard.type("/imagine")
    await expect(shown.get_by_role("option", name="imagine")).to_be_visible()
    await tab.keyboard.press("Enter")
    await shown.get_by_label("prompt").last.wait_for()
    await tab.keyboard.type(prompt)
    await tab.keyboard.press("Enter")


async def test_the_community_has_the_same_ids_in_every_run() -> None:
    """They are in the database; a SimCord that counts in another way must not go unnoticed."""
    for _ in range(2):
        async with World.open() as world:
            assert [person.actor.id - world.ada.actor.id for person in world.people] == [0, 1, 2, 3]
            assert world.ada.actor.id == 1456074443980800002
            assert world.guild.id == 1456074443980800006
            assert world.moderators.id == 1456074443980800008
            assert (world.studio.channel.id, world.review.channel.id) == (1456074443980800009, 1456074443980800010)


async def test_what_happens_gets_an_id_from_the_real_time_so_that_none_comes_twice(
    product: Any, folder: Folder
) -> None:
    before = time.time()
    for run in range(2):
        async with World.open() as world, Stage(product, world).running(), world.turn():
            await world.ada.actor.slash(world.studio.channel, "imagine", prompt=f"owl {run}")
    ids = [job.id for job in folder.jobs] + [job.message for job in folder.jobs]
    assert len(set(ids)) == 4
    for one in ids:
        assert before - 1 <= discord.utils.snowflake_time(one).timestamp() <= time.time() + 1


async def test_three_seconds_are_three_seconds_in_the_middle_of_an_action(page: Page, world: World) -> None:
    async with world.turn():
        result = await world.ada.actor.slash(world.studio.channel, "late")
    assert not result.acknowledged


async def test_other_sites_in_the_same_browser_are_turned_away(page: Page) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.post(page.url / "sandbox/restart", headers={"Origin": "https://example.com"}) as answer:
            assert answer.status == 403
        async with http.get(page.url, headers={"Host": f"example.com:{page.url.port}"}) as answer:
            assert answer.status == 403
        async with http.get(page.url) as answer:
            assert answer.status == 200


async def test_a_press_that_was_overtaken_by_news_and_by_a_new_bot_still_counts(
    page: Page, world: World, stage: Stage, folder: Folder
) -> None:
    async with aiohttp.ClientSession(headers={"X-Simcord-Capability": "ada.studio"}) as http:

        async def state(context: str) -> Any:
            async with http.get(page.url / "api/state", headers={"X-Simcord-Context": context}) as answer:
                return await answer.json()

        async with world.turn():
            await world.ada.actor.slash(world.studio.channel, "imagine", prompt="an owl")
        await folder.work.put("ready")
        async with http.post(page.url / "api/pages", json={}) as answer:
            context = cast("str", (await answer.json())["context"]["id"])
        seen: Any = {}
        while "Vary" not in json.dumps(seen):
            seen = await state(context)

        message = next(iter(seen["messages"].values()))
        box = message["components"][0]
        vary = box["components"][-1]["components"][0]
        action = {
            "protocol_version": 3,
            "sequence": 1,
            "request_id": "press",
            "generation": seen["context"]["generation"],
            "bot_generation": seen["botGeneration"],
            "published_revision": seen["publishedRevision"],
            "kind": "click",
            "target_id": message["id"],
            "control_key": f"message:{message['id']}:component:{vary['id']}",
        }
        await stage.restart()
        await folder.work.put("ready")
        while (await state(context))["publishedRevision"] == seen["publishedRevision"]:
            pass

        body = json.dumps(action, separators=(",", ":"))
        async with http.post(page.url / "api/action", data=body, headers={"X-Simcord-Context": context}) as answer:
            receipt = await answer.json()
        assert receipt["diagnostics"] == []
        assert receipt["settlement"] == "settled"


async def test_a_bot_that_cannot_start_says_why_and_can_be_tried_again(
    page: Page, stage: Stage, folder: Folder
) -> None:
    async with aiohttp.ClientSession() as http:
        folder.refuse = "the database is locked"
        async with http.post(page.url / "sandbox/restart") as answer:
            assert await answer.json() == {"bot": "stopped", "trouble": "RuntimeError: the database is locked"}

        folder.refuse = ""
        async with http.post(page.url / "sandbox/restart") as answer:
            assert await answer.json() == {"bot": "running", "trouble": ""}
    assert stage.state == "running"
    assert folder.starts == 2


@in_a_browser
async def test_a_newcomer_sees_the_picture_arrive_without_refreshing(tab: Tab, folder: Folder) -> None:
    shown = discord_in(tab)
    timeline = shown.locator("#channel-timeline")

    await imagine(tab, "an owl with a map")
    await expect(timeline.get_by_text("an owl with a map: waiting")).to_be_visible()
    await folder.work.put("half done")
    await expect(timeline.get_by_text("an owl with a map: half done")).to_be_visible()
    await folder.work.put("ready")
    await expect(timeline.locator("img[src^='blob:']").last).to_be_visible()

    await timeline.get_by_role("button", name="Vary").click()
    await expect(timeline.get_by_text("Pressed vary")).to_be_visible()

    await timeline.get_by_role("button", name="Name").click()
    dialog = shown.locator("#modal-root")
    await dialog.locator(".modal-input").fill("The cartographer")
    picture = {"name": "reference.png", "mimeType": "image/png", "buffer": bytes(3_000_000)}
    await dialog.locator("input[type=file]").set_input_files(cast("Any", picture))
    await dialog.get_by_role("button", name="Submit").click()
    await expect(timeline.get_by_text("Named 'The cartographer' with [3000000]")).to_be_visible()

    await tab.get_by_role("button", name="Mia").click()
    await expect(timeline.get_by_role("button", name="Vary")).to_be_visible()
    await expect(timeline.get_by_text("Pressed vary")).to_have_count(0)
    await tab.get_by_role("button", name="review", exact=True).click()
    await expect(timeline.get_by_text("For review: an owl with a map")).to_be_visible()

    await tab.get_by_role("button", name="Ben").click()
    await expect(tab.get_by_role("button", name="review", exact=True)).to_be_disabled()
    await expect(tab.get_by_role("link", name="Pinned files")).to_be_visible()


@in_a_browser
async def test_the_bot_restarts_under_a_running_job_while_the_page_stays_open(tab: Tab, folder: Folder) -> None:
    timeline = discord_in(tab).locator("#channel-timeline")
    await imagine(tab, "an owl that waits")
    await expect(timeline.get_by_text("an owl that waits: waiting")).to_be_visible()

    await tab.get_by_role("button", name="Restart the bot").click()
    await expect(tab.get_by_role("button", name="Restart the bot")).to_be_enabled()
    assert folder.starts == 2

    await folder.work.put("ready")
    await timeline.get_by_role("button", name="Vary").click()
    await expect(timeline.get_by_text("Pressed vary")).to_be_visible()


@in_a_browser
async def test_a_message_has_the_bots_menu_and_its_forms_open(tab: Tab) -> None:
    await tab.get_by_role("button", name="Ben").click()
    shown = discord_in(tab)
    await imagine(tab, "an owl")
    message = shown.locator(".channel-message").first

    await message.click(button="right")
    await tab.get_by_role("menuitem", name="Count its letters").click()
    await expect(shown.locator("#channel-timeline").get_by_text("0 letters")).to_be_visible()

    await message.click(button="right")
    await tab.get_by_role("menuitem", name="Name this picture").click()
    await expect(tab.get_by_role("menu")).to_be_hidden()
    dialog = shown.locator("#modal-root")
    await dialog.locator(".modal-input").fill("The cartographer")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(shown.locator("#channel-timeline").get_by_text("Named 'The cartographer' with []")).to_be_visible()


@in_a_browser
async def test_news_in_a_channel_of_others_is_marked_at_them_and_a_link_leads_there(
    tab: Tab, world: World, folder: Folder
) -> None:
    mia = tab.get_by_role("button", name="Mia")
    await imagine(tab, "an owl")
    await expect(discord_in(tab).locator("#channel-timeline").get_by_text("an owl: waiting")).to_be_visible()
    where = f"https://discord.com/channels/{world.guild.id}/{world.studio.channel.id}/{folder.jobs[0].message}"
    await folder.work.put("ready")
    await expect(mia).to_have_class("news")
    await expect(tab.get_by_role("button", name="Ben")).not_to_have_class("news")

    await mia.click()
    review = tab.get_by_role("button", name="review", exact=True)
    await expect(review).to_have_class("news")
    await review.click()
    await expect(review).not_to_have_class("news")
    async with world.turn():
        await world.mia.actor.send(world.review.channel, f"Look at [the request]({where})")
    world.changed()
    await discord_in(tab).locator(".channel-message").get_by_role("link", name="the request").click()
    await expect(discord_in(tab).locator("#channel-timeline").get_by_role("button", name="Vary")).to_be_visible()
