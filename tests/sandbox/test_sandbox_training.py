"""What the sandbox has for trainings: its ready-made pictures, and services that call the bot back."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.clock import SystemClock
from bot.errors import Broken
from bot.http import client as http
from bot.jobs.hints import Hints
from bot.jobs.signals import WorkerSignals
from bot.pictures.training_sets.linting import Facts, Finding, Needs, lint
from bot.pictures.training_sets.preparing import parse_caption, prepare_training_picture, read_archive
from bot.providers import trainer_entries, trainers, training
from bot.providers.astria.client import Astria
from bot.providers.bfl.client import Bfl
from bot.providers.interface import Callback, Status
from bot.providers.training import FinetuneSpec, TrainedSubject, TrainingPicture, TrainingProvider
from bot.providers.vimmerse.client import Vimmerse
from bot.web import Web
from bot.workflows.base.callbacks import Callbacks
from sandbox.page import Page
from sandbox.services import HOST, KEY, Addresses, remembered_port, served, serving
from sandbox.stage import Stage
from sandbox.training_pictures import FOLDER, SETS, TrainingSet, files
from sandbox.world import World
from storage.database import open_database

MOST_BYTES = 2_000_000  # of all pictures, in the repository
SPEED = 40.0
JOB = "byer6s1zv1fl-1"
every_trainer = pytest.mark.parametrize("trainer", ["bfl", "astria", "vimmerse-flux"])
every_set = pytest.mark.parametrize("training_set", SETS, ids=lambda each: each.key)


@dataclass
class Bot:
    """The bot's own web server, and what it makes of a call."""

    callbacks: Callbacks

    def callback(self, provider: str) -> Callback | None:
        return self.callbacks.of(provider, JOB)


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncGenerator[Bot]:
    database = await open_database(tmp_path / "bot.db")
    port = remembered_port(tmp_path, "bot")
    clock = SystemClock()
    callbacks = Callbacks(b"key", Hints(database, clock, WorkerSignals()), public_url=f"http://{HOST}:{port}")
    async with Web(callbacks, clock).serving(HOST, port):
        yield Bot(callbacks)
    await database.close()


def clients(services: Addresses, session: aiohttp.ClientSession) -> dict[str, TrainingProvider]:
    key = SecretStr(KEY)
    bases = {"global": services.bfl, "us1": services.bfl_us1, "eu1": services.bfl_eu1}
    return {
        "bfl": Bfl(session, key=key, bases=bases, origins=services.origins),
        "astria": Astria(session, key=key, base=services.astria, origins=services.origins),
        "vimmerse-flux": Vimmerse(session, key=key, base=services.vimmerse, origins=services.origins),
    }


def a_spec(trainer: str) -> FinetuneSpec:
    spec = FinetuneSpec(id="j1-1", name="Owl", trainer=trainer, subject=TrainedSubject.CHARACTER, class_name="owl")
    return trainers.check(spec, pictures=8)


def owl_pictures() -> training.TrainingSet:
    archive = owls().archive.read_bytes()
    return training.TrainingSet(tuple(TrainingPicture(*each) for each in read_archive(archive)), archive)


@pytest.fixture
async def services(tmp_path: Path) -> AsyncGenerator[Addresses]:
    async with serving(tmp_path, speed=SPEED) as addresses:
        yield addresses


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with http.session() as session:
        yield session


def owls() -> TrainingSet:
    return SETS[0]


def facts_of(path: Path) -> Facts:
    made = prepare_training_picture(path, path.name)
    text = path.with_suffix(".txt")
    caption = parse_caption(text.read_bytes(), text.name) if text.exists() else None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Facts(path.name, made.original_width, made.original_height, made.fingerprint, digest, caption)


def said_of(training_set: TrainingSet, *, trigger: str = "") -> tuple[Finding, ...]:
    needs = Needs(label="The trainer", least_side=512, advised=8, pairs=training_set.key == "pairs")
    return lint([facts_of(path) for path in training_set.pictures()], needs, trigger=trigger)


@every_set
def test_a_ready_made_set_leaves_the_linter_nothing_to_say(training_set: TrainingSet) -> None:
    assert len(training_set.pictures()) == len(training_set.drawings) == 8
    assert said_of(training_set) == ()


def test_the_owls_captions_name_the_trigger_word_of_the_usual_trainer() -> None:
    usual = trainer_entries.TRAINERS[0].usual_trigger
    assert usual
    assert all(f"“{usual}” is what trainers use" in each.sentence for each in said_of(owls(), trigger=usual))


@every_set
def test_a_zip_holds_the_same_pictures_as_its_folder(training_set: TrainingSet) -> None:
    members = read_archive(training_set.archive.read_bytes())
    assert [each.content for each in members] == [path.read_bytes() for path in training_set.pictures()]
    assert [each.caption for each in members] == [drawing.caption or None for drawing in training_set.drawings]


def test_the_pictures_are_drawn_the_same_each_time_and_are_small_enough_to_be_kept() -> None:
    first, again = (dict(files(owls())) for _ in range(2))
    assert first == again
    assert {name for name in first if not (FOLDER / name).exists()} == set()
    total = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.suffix in {".jpg", ".zip", ".txt"})
    assert total <= MOST_BYTES


@every_trainer
async def test_each_service_trains_on_the_owl_and_calls_back(
    trainer: str, services: Addresses, session: aiohttp.ClientSession, bot: Bot
) -> None:
    client = clients(services, session)[trainer]
    watch = bot.callbacks.hints.watch(JOB)
    started = await client.create_finetune(a_spec(trainer), owl_pictures(), bot.callback(client.name))

    await asyncio.wait_for(watch.wait(), 30)
    assert (await client.finetune_status(started.ref)).status is Status.READY


@every_trainer
async def test_a_training_survives_a_restart_of_the_sandbox(
    trainer: str, tmp_path: Path, session: aiohttp.ClientSession, bot: Bot
) -> None:
    watch = bot.callbacks.hints.watch(JOB)
    async with serving(tmp_path, speed=20) as services:
        client = clients(services, session)[trainer]
        started = await client.create_finetune(a_spec(trainer), owl_pictures(), bot.callback(client.name))
    assert not watch.is_set()

    async with serving(tmp_path, speed=20) as again:
        assert again == services
        await asyncio.wait_for(watch.wait(), 30)
        assert (await clients(again, session)[trainer].finetune_status(started.ref)).status is Status.READY


async def test_the_pairs_teach_kontext_an_edit(services: Addresses, session: aiohttp.ClientSession, bot: Bot) -> None:
    client = clients(services, session)["vimmerse-flux"]
    archive = SETS[2].archive.read_bytes()
    pairs = training.TrainingSet(tuple(TrainingPicture(*each) for each in read_archive(archive)), archive)
    spec = FinetuneSpec(id="j1-1", name="Night", trainer="vimmerse-kontext", subject=TrainedSubject.GENERAL)
    spec = trainers.check(spec.model_copy(update={"instruction": "make it night"}), pictures=8)
    watch = bot.callbacks.hints.watch(JOB)

    started = await client.create_finetune(spec, pairs, bot.callback(client.name))
    await asyncio.wait_for(watch.wait(), 30)
    assert (await client.finetune_status(started.ref)).status is Status.READY


async def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    async with served(web.Application(), remembered_port(tmp_path, "astria")):
        with pytest.raises(Broken, match=r"Is another sandbox running\?"):
            async with serving(tmp_path):
                pass


async def test_the_page_offers_the_zips_and_posts_the_pictures_as_the_person_who_looks(
    session: aiohttp.ClientSession,
) -> None:
    @contextlib.asynccontextmanager
    async def nobody(_: World) -> AsyncGenerator[None]:
        yield

    async with World.open() as world, Page.open(world, Stage(nobody, world), port=0) as page:
        async with session.get(page.url / "sandbox/owl-mascot.zip") as answer:
            assert await answer.read() == owls().archive.read_bytes()
        ben = {"X-Simcord-Capability": "ben.studio"}
        async with session.post(page.url / "sandbox/post", headers=ben, json={"set": "owl-mascot"}) as answer:
            assert answer.status == 200
        async with session.post(page.url / "sandbox/post", headers=ben, json={"set": "../pairs"}) as answer:
            assert answer.status == 404

        (message,) = world.studio.channel.history(viewer=world.ben.actor)
        assert message.author.id == world.ben.actor.id
        assert [each.filename for each in message.attachments] == [path.name for path in owls().pictures()]
