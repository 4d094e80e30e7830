"""The stand-in of Vimmerse behaves as its document says, and the real client works with it in all its readings."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image, ImageStat
from pydantic import SecretStr
from yarl import URL

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.http import client as http
from bot.http.client import Timeouts
from bot.providers import catalogue, trainers
from bot.providers.interface import Callback, FinetuneRef, Generation, Status, Ticket
from bot.providers.training import FinetuneSpec, TrainedSubject, TrainingPicture, TrainingSet, Withdrawn
from bot.providers.vimmerse.client import Vimmerse
from standins.base import faults
from standins.base.faults import Fault
from standins.vimmerse import Quirks, VimmerseServer, forms
from tests.scenes.clock import Clock
from tests.scenes.vimmerse_account import load_properties

KEY = "sandbox-key"


@pytest.fixture
def clock() -> Clock:
    return Clock(1_763_700_000.25)


def make_service(clock: Clock, **switches: Any) -> VimmerseServer:
    usual: dict[str, Any] = {"training": 600, "drawing": 10, "picture_size": 64}
    return VimmerseServer(clock=clock, sleep=clock.sleep, keys=[KEY], **{**usual, **switches})


@pytest.fixture
def service(clock: Clock) -> VimmerseServer:
    return make_service(clock)


class Member:
    """Somebody with an account at the stand-in."""

    def __init__(self, client: Vimmerse, clock: Clock, folder: Path, origin: URL) -> None:
        self.client = client
        self.clock = clock
        self.folder = folder
        self.origin = origin

    async def train(
        self, *colours: str, trainer: str = "vimmerse-flux", callback: Callback | None = None
    ) -> FinetuneRef:
        pairs = trainer == "vimmerse-kontext"
        wanted = FinetuneSpec(
            id="try-1",
            name="Leo",
            trainer=trainer,
            subject=TrainedSubject.GENERAL if pairs else TrainedSubject.CHARACTER,
            trigger="LEO",
            instruction="paint it" if pairs else "",
        )
        pictures = [TrainingPicture(f"{n:04}.jpg", photograph(each)) for n, each in enumerate(colours or ("red",) * 2)]
        checked = trainers.check(wanted, pictures=len(pictures))
        return (await self.client.create_finetune(checked, TrainingSet(tuple(pictures), b""), callback)).ref

    async def trained(self, *colours: str, trainer: str = "vimmerse-flux") -> FinetuneRef:
        ref = await self.train(*colours, trainer=trainer)
        self.clock.time += 600
        assert (await self.client.finetune_status(ref)).status is Status.READY
        return ref

    async def order(self, ref: FinetuneRef, prompt: str = "a portrait", **parameters: Any) -> Ticket:
        wanted = Generation(model="vimmerse-flux", prompt=prompt, finetune=ref, parameters=parameters)
        return await self.client.generate(catalogue.check(wanted), {})

    async def edit(self, ref: FinetuneRef, picture: bytes) -> Ticket:
        role = {"image_file": "5e" * 32}
        wanted = catalogue.check(Generation(model="vimmerse-kontext", prompt="", finetune=ref, inputs=role))
        return await self.client.generate(wanted, {"image_file": picture})

    async def drawn(self, ticket: Ticket) -> bytes:
        self.clock.time += 10
        status = await self.client.job_status(ticket)
        assert status.status is Status.READY, status
        return await self.fetched(status.urls[0])

    async def fetched(self, url: str) -> bytes:
        await self.client.fetch_output(url, self.folder / "picture")
        return (self.folder / "picture").read_bytes()


@contextlib.asynccontextmanager
async def member(
    service: VimmerseServer, folder: Path, *, key: str = KEY, timeouts: Timeouts = http.DEFAULT_TIMEOUTS
) -> AsyncGenerator[Member]:
    async with TestServer(service.app()) as server, http.session() as session:
        origin = server.make_url("/").origin()
        client = Vimmerse(session, key=SecretStr(key), base=str(origin), timeouts=timeouts)
        yield Member(client, cast("Clock", service.clock), folder, origin)


def photograph(colour: str, kind: str = "JPEG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, kind)
    return file.getvalue()


def mean(content: bytes) -> list[float]:
    with Image.open(BytesIO(content)) as image:
        return ImageStat.Stat(image.convert("RGB")).mean


# From pictures to a picture


async def test_a_finetune_is_trained_watched_and_drawn_with(
    service: VimmerseServer, clock: Clock, tmp_path: Path
) -> None:
    async with member(service, tmp_path) as leo:
        ref = await leo.train()
        assert ref.trigger == ref.remote_id == service.trainings[0].trigger
        assert ref.trigger.startswith("LEO_")

        clock.time += 300
        half = await leo.client.finetune_status(ref)
        assert (half.status, half.progress) == (Status.RUNNING, 0.5)

        clock.time += 300
        ready = await leo.client.finetune_status(ref)
        assert ready.status is Status.READY
        assert len(ready.samples) == 2
        assert await leo.fetched(ready.samples[0]) != await leo.fetched(ready.samples[1])

        ticket = await leo.order(ref, aspect_ratio="16:9")
        assert (await leo.client.job_status(ticket)).status is Status.WAITING
        clock.time += 5
        assert (await leo.client.job_status(ticket)).status is Status.RUNNING
        with Image.open(BytesIO(await leo.drawn(ticket))) as picture:
            assert picture.format == "PNG"
            assert picture.size == (64, 36)
        assert (await leo.client.job_status(ticket)).seconds == 10
    assert {received.key for received in service.requests if received.kind == "sample"} == {None}
    assert {received.key for received in service.requests if received.kind != "sample"} == {KEY}


async def test_pictures_show_what_their_finetune_was_trained_on(service: VimmerseServer, tmp_path: Path) -> None:
    async with member(service, tmp_path) as leo:
        red, blue = await leo.trained("red", "darkred"), await leo.trained("blue", "navy")
        reddish = mean(await leo.drawn(await leo.order(red)))
        bluish = mean(await leo.drawn(await leo.order(blue)))
    assert reddish[0] - reddish[2] > 30
    assert bluish[2] - bluish[0] > 30


async def test_a_learned_edit_changes_a_picture_as_its_pairs_are_changed(
    service: VimmerseServer, tmp_path: Path
) -> None:
    async with member(service, tmp_path) as leo:
        ref = await leo.trained("#404040", "#404090", "#606060", "#6060b0", trainer="vimmerse-kontext")
        changed = mean(await leo.drawn(await leo.edit(ref, photograph("#808080", "PNG"))))
    assert changed == pytest.approx([0x80, 0x80, 0x80 + 0x50], abs=3)


async def test_the_same_orders_give_the_same_bytes_on_another_day(clock: Clock, tmp_path: Path) -> None:
    async def series() -> list[bytes]:
        async with member(make_service(clock), tmp_path) as leo:
            ref = await leo.trained()
            return [await leo.drawn(await leo.order(ref, prompt)) for prompt in ("a hat", "a hat", "a boat")]

    first = await series()
    assert await series() == first
    assert len(set(first)) == 3


# What its document leaves open


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("place", ["results", "args", "field", "text", "example", "later"])
@pytest.mark.parametrize("training", ["object", "empty", "missing", "null"])
async def test_the_client_works_with_every_reading_of_the_document(
    clock: Clock, tmp_path: Path, wrapped: bool, place: Any, training: Any
) -> None:
    quirks = Quirks(wrapped=wrapped, trigger_word=place, training=training, samples="strings", progress=True)
    async with member(make_service(clock, quirks=quirks), tmp_path) as leo:
        ref = await leo.train()
        early = await leo.client.finetune_status(ref)
        untold = training == "missing" and place == "text"  # then there is no asset to ask
        assert early.status in ({Status.MISSING} if untold else {Status.WAITING, Status.RUNNING})

        clock.time += 600
        status = await leo.client.finetune_status(ref)
        assert status.status is Status.READY
        assert len(status.samples) == 2
        named = ref.model_copy(update={"remote_id": ref.remote_id or status.trigger, "trigger": status.trigger or ""})
        assert mean(await leo.drawn(await leo.order(named)))


async def test_a_trigger_word_that_is_never_told_is_for_a_human(clock: Clock, tmp_path: Path) -> None:
    async with member(make_service(clock, quirks=Quirks(trigger_word="nowhere")), tmp_path) as leo:
        ref = await leo.train()
        assert ref.task_id
        assert not ref.remote_id
        assert not (await leo.client.finetune_status(ref)).status.ended
        clock.time += 600
        with pytest.raises(Broken, match="cannot find the trigger word"):
            await leo.client.finetune_status(ref)


async def test_a_learned_edit_that_only_its_asset_knows_gets_ready(clock: Clock, tmp_path: Path) -> None:
    async with member(make_service(clock, quirks=Quirks(reports_kontext=False)), tmp_path) as leo:
        assert await leo.trained("red", "blue", trainer="vimmerse-kontext")


@pytest.mark.parametrize("training", ["object", "empty", "missing"])
async def test_a_training_that_fails_is_found_to_have_failed_and_costs_nothing(
    clock: Clock, tmp_path: Path, training: Any
) -> None:
    service = make_service(clock, quirks=Quirks(training=training), credits=150)
    async with member(service, tmp_path) as leo:
        ref = await leo.train()
        assert service.credits == 50
        service.end(service.trainings[0], "fail", after=60, reason="Too few faces.")
        clock.time += 60
        status = await leo.client.finetune_status(ref)
        assert (status.status, status.reasons) == (Status.FAILED, ("Too few faces.",))
        assert service.credits == 150


async def test_a_server_that_ignores_async_mode_answers_when_the_picture_is_there(clock: Clock, tmp_path: Path) -> None:
    service = make_service(clock, quirks=Quirks(honours_async=False))
    async with member(service, tmp_path) as leo:
        ref = await leo.trained()
        before = clock.time
        ticket = await leo.order(ref)
        assert clock.time == before + 10
        assert ticket.polling_url
        assert (await leo.client.job_status(ticket)).urls == (ticket.polling_url,)


async def test_times_are_told_with_a_space(service: VimmerseServer, clock: Clock) -> None:
    assert service.moment(clock.time) == "2025-11-21 04:40:00.250000+00:00"


# What it refuses


async def test_without_a_good_key_nothing_is_told(service: VimmerseServer, tmp_path: Path) -> None:
    async with member(service, tmp_path, key="wrong") as leo:
        with pytest.raises(Broken, match="did not accept the key"):
            await leo.train()
        async with http.session() as session:
            async with session.get(leo.origin / "asset/x") as answer:
                assert (answer.status, await answer.json()) == (401, {"message": "UNAUTHORIZED"})
            async with session.get(leo.origin / "health") as answer:
                assert answer.status == 200
    assert service.assets == []


async def test_without_credits_nothing_is_taken(clock: Clock, tmp_path: Path) -> None:
    service = make_service(clock, credits=101)
    async with member(service, tmp_path) as leo:
        ref = await leo.trained()
        await leo.order(ref)
        for order in (leo.order(ref), leo.train()):
            with pytest.raises(Broken, match="out of credits"):
                await order
        service.credits = 5
        await leo.order(ref)
        assert service.credits == 4


async def test_what_does_not_fit_is_refused_in_the_words_of_the_document(
    service: VimmerseServer, tmp_path: Path
) -> None:
    jpeg = photograph("red")
    cases: list[tuple[str, list[tuple[str, str | bytes]], int, str]] = [
        ("finetune", [("option", "FluxFinetune")], 400, "NO_IMAGES"),
        ("finetune", [("option", "FluxDreamed"), ("image_files", jpeg)], 400, "INVALID_OPTION"),
        ("finetune", [("image_files", b"no picture")], 400, "INVALID_IMAGE"),
        ("finetune", [("num_iterations", "many"), ("image_files", jpeg)], 422, "num_iterations"),
        (
            "finetune",
            [("option", "FluxKontextFinetune"), ("prompt", "x"), *[("image_files", jpeg)] * 3],
            400,
            "IMAGES_MUST_BE_PAIRS",
        ),
        ("image/text-2-image", [("quantity", "5")], 422, "quantity"),
        ("image/text-2-image", [("option", "FluxKontextFinetuned")], 422, "option"),
        ("image/text-2-image", [("aspect_ratio", "wide")], 422, "aspect_ratio"),
        ("image/text-2-image", [("option", "FluxFinetuned"), ("prompt", "nobody")], 400, "FINETUNE_NOT_FOUND"),
        ("image/image-2-image", [("prompt", "softer")], 400, "IMAGE_REQUIRED"),
    ]
    async with member(service, tmp_path) as leo, http.session() as session:
        for path, form, status, words in cases:
            async with session.post(leo.origin / path, data=_body(form), headers={"X-Api-Key": KEY}) as answer:
                body = await answer.json()
                assert (path, form, answer.status) == (path, form, status), body
                explanation = body["message"] if status == 400 else body["detail"][0]["loc"][-1]
                assert explanation == words
        assert (await leo.client.job_status(Ticket(provider="vimmerse", remote_id="x"))).status is Status.MISSING
        unknown = FinetuneRef(provider="vimmerse", remote_id="LEO_zz", trigger="LEO_zz")
        assert (await leo.client.finetune_status(unknown)).status is Status.MISSING
        with pytest.raises(Refused, match="FINETUNE_NOT_FOUND"):
            await leo.order(unknown)
    assert service.assets == []


def _body(form: list[tuple[str, str | bytes]]) -> Any:
    body = http.payload([(name, value) for name, value in form if isinstance(value, str)])
    for name, value in form:
        if isinstance(value, bytes) and body is not None:
            cast("Any", body).add_field(name, value, filename="0001.jpg", content_type="image/jpeg")
    return body


async def test_a_prompt_that_is_flagged_fails_with_a_reason(service: VimmerseServer, tmp_path: Path) -> None:
    async with member(service, tmp_path) as leo:
        ref = await leo.trained()
        ticket = await leo.order(ref, "gore everywhere")
        leo.clock.time += 10
        status = await leo.client.job_status(ticket)
    assert (status.status, status.reasons) == (Status.FAILED, ("The prompt was flagged by the content filter.",))


# Faults, callbacks, restarts


@pytest.mark.parametrize(
    ("trouble", "error", "taken"),
    [
        (faults.answers(429, retry_after=30), Unavailable, 0),
        (faults.answers(503), Unavailable, 0),
        (faults.answers(500), Uncertain, 0),
        (faults.hangs_up(), Uncertain, 0),
        (faults.html(), Uncertain, 0),
        (faults.malformed(), Uncertain, 0),
        (faults.loses_the_answer(), Uncertain, 1),
        (faults.truncates(), Uncertain, 1),
        (faults.waits(asyncio.Event().wait), Uncertain, 1),
        (faults.redirects("https://evil.example/"), Broken, 0),
        (faults.answers(404, {"message": "NOT_FOUND"}), Withdrawn, 0),
    ],
)
async def test_a_training_in_trouble_is_sent_once_and_its_error_says_whether_it_may_have_been_taken(
    service: VimmerseServer, tmp_path: Path, trouble: Callable[..., Any], error: type[BotError], taken: int
) -> None:
    service.faults.append(Fault("submit", trouble, path="/finetune"))
    async with member(service, tmp_path, timeouts=Timeouts(total=0.3)) as leo:
        with pytest.raises(error) as failed:
            await leo.train()
    assert type(failed.value) is error
    assert len(service.trainings) == taken
    assert [received.kind for received in service.requests] == ["submit"]


async def test_everything_outlives_a_restart(clock: Clock, tmp_path: Path) -> None:
    state = tmp_path / "state" / "vimmerse.db"
    async with member(make_service(clock, state=state), tmp_path) as leo:
        ref = await leo.trained("green", "lime")
        unfinished = await leo.train("red", "blue")
        ticket = await leo.order(ref)
        first = await leo.drawn(ticket)
    again = make_service(clock, state=state)
    async with member(again, tmp_path) as leo:
        assert (await leo.client.finetune_status(ref)).status is Status.READY
        assert not (await leo.client.finetune_status(unfinished)).status.ended
        assert await leo.drawn(ticket) == first
        assert again.credits == 10_000 - 201


async def test_it_calls_back_when_something_has_ended_as_often_as_it_is_told_to(clock: Clock, tmp_path: Path) -> None:
    service = make_service(clock)
    heard: list[dict[str, str]] = []
    up = True

    async def hear(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response(status=200 if up else 503)

    app = web.Application()
    app.router.add_post("/hook", hear)
    async with TestServer(app) as bot, member(service, tmp_path) as leo:
        hook = Callback(url=str(bot.make_url("/hook")), secret="")
        ref = await leo.train(callback=hook)
        assert await service.deliver_callbacks() == 0
        clock.time += 600
        up = False
        assert await service.deliver_callbacks() == 0
        up = True
        assert await service.deliver_callbacks() == 0, "the next try comes a second later"
        clock.time += 1
        assert await service.deliver_callbacks() == 1
        assert await service.deliver_callbacks() == 0
        assert heard == [{"customer_id": "sandbox-customer", "asset_id": ref.task_id, "status": "success"}] * 2

        service.quirks.callbacks = "lost"
        await leo.train("blue", "navy", callback=hook)
        clock.time += 600
        assert await service.deliver_callbacks() == 0
        assert len(heard) == 2


# Its forms, against the published document


@pytest.mark.parametrize(
    ("path", "media_type", "form", "files"),
    [
        ("/finetune", "multipart/form-data", forms.Finetune, {"image_files"}),
        ("/image/text-2-image", "application/x-www-form-urlencoded", forms.TextToImage, set[str]()),
        ("/image/image-2-image", "multipart/form-data", forms.ImageToImage, {"image_file"}),
    ],
)
def test_it_accepts_what_the_published_document_names(path: str, media_type: str, form: Any, files: set[str]) -> None:
    theirs = load_properties(path, media_type)
    ours = form.model_json_schema()["properties"]
    assert ours.keys() | files == theirs.keys()
    for name, schema in ours.items():
        for fact in ("enum", "minimum", "maximum", "pattern"):
            assert schema.get(fact) == theirs[name].get(fact), (name, fact)
        if name != "image_urls":  # pydantic does not write a made default down
            assert schema.get("default") == theirs[name].get("default"), name
    if path == "/finetune":
        assert all(word in json.dumps(theirs) for word in (*forms.FINETUNE_OPTIONS, *forms.FINETUNE_TYPES))
