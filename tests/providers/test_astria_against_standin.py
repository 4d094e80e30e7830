"""The client against the stand-in, which behaves as the service does from one request to the next."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image, ImageDraw, ImageStat
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.http import client as http
from bot.providers import catalogue, trainers
from bot.providers.astria.client import Astria
from bot.providers.astria.models import MODELS
from bot.providers.interface import Callback, FinetuneRef, Generation, Look, Status, Ticket
from bot.providers.parameters import Kind, Value
from bot.providers.training import FinetuneSpec, Started, TrainedSubject, TrainingPicture, TrainingSet
from standins.astria import AstriaServer
from standins.base import faults
from standins.base.faults import Fault, fails_after
from tests.scenes.clock import Clock

KEY = "sandbox-key"
DAY = 86_400.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> AstriaServer:
    return AstriaServer(clock=clock, picture_size=64)


@contextlib.asynccontextmanager
async def account(service: AstriaServer, *, key: str = KEY) -> AsyncGenerator[Astria]:
    async with TestServer(service.app()) as server, http.session() as session:
        base = str(server.make_url("/").origin())
        yield Astria(session, key=SecretStr(key), base=base, now=service.clock)


def photograph(colour: str = "teal", size: tuple[int, int] = (600, 600)) -> bytes:
    image = Image.new("RGB", size, colour)
    pen = ImageDraw.Draw(image)
    for place in range(20, size[0] - 20, 40):
        pen.rectangle((place, 60, place + 15, size[1] - 60), fill="gray")
    file = BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue()


def a_set(colour: str = "teal", count: int = 4) -> TrainingSet:
    pictures = [TrainingPicture(f"{number:04}.jpg", photograph(colour), "a cat") for number in range(1, count + 1)]
    return TrainingSet(tuple(pictures), b"")


def a_spec(id_: str = "j1-1", **changes: Any) -> FinetuneSpec:
    spec = FinetuneSpec(id=id_, name="Mimi", trainer="astria", subject=TrainedSubject.CHARACTER, class_name="cat")
    return trainers.check(spec.model_copy(update=changes), pictures=4)


def an_order(ref: FinetuneRef, prompt: str = "ohwx cat on a sofa", **parameters: Value) -> Generation:
    return catalogue.check(Generation(model="astria-flux", prompt=prompt, parameters=parameters, finetune=ref))


async def train_finetune(
    client: Astria, clock: Clock, spec: FinetuneSpec | None = None, colour: str = "teal"
) -> Started:
    started = await client.create_finetune(spec or a_spec(), a_set(colour))
    clock.time += 300
    return started


async def await_look(client: Astria, clock: Clock, ticket: Ticket) -> Look:
    clock.time += 30
    return await client.job_status(ticket)


async def test_a_finetune_is_trained_and_draws(service: AstriaServer, clock: Clock, tmp_path: Path) -> None:
    async with account(service) as client:
        before = await client.balance()
        started = await client.create_finetune(a_spec(parameters={"preset": "flux-lora-portrait"}), a_set())
        assert started.cost == 1_500_000
        assert started.ref.trigger == "ohwx cat"
        assert await client.balance() == before - 1_500_000

        seen: list[Status] = []
        for seconds in (0, 10, 100, 174):
            clock.time += seconds
            seen.append((await client.finetune_status(started.ref)).status)
        assert seen == [Status.WAITING, Status.RUNNING, Status.RUNNING, Status.READY]

        ticket = await client.generate(an_order(started.ref, seed=7, finetune_strength=0.9), {})
        assert ticket.cost == 25_000
        assert (await client.job_status(ticket)).status is Status.WAITING
        clock.time += 10
        assert (await client.job_status(ticket)).status is Status.RUNNING
        done = await await_look(client, clock, ticket)
        assert (done.status, done.seed) == (Status.READY, 7)
        assert done.seconds == pytest.approx(18)
        await client.fetch_output(done.urls[0], tmp_path / "picture")
        with Image.open(tmp_path / "picture") as picture:
            assert picture.format == "JPEG"
        assert await client.balance() == before - 1_525_000
        assert [received.key for received in service.requests if received.kind == "sample"] == [None]
    assert service.tunes[0].captions == dict.fromkeys(("0001", "0002", "0003", "0004"), "a cat")
    assert service.prompts[0].text == f"<lora:{started.ref.remote_id}:0.9> ohwx cat on a sofa"


async def test_it_comes_sooner_than_it_was_announced(service: AstriaServer, clock: Clock) -> None:
    async with account(service) as client:
        started = await client.create_finetune(a_spec(), a_set())
        announced = (await client.finetune_status(started.ref)).ready_by
        assert announced
        clock.time += 284
        assert (await client.finetune_status(started.ref)).status is Status.READY
        assert announced > clock.time + 60


async def draw_picture(client: Astria, clock: Clock, generation: Generation, into: Path, **inputs: bytes) -> bytes:
    done = await await_look(client, clock, await client.generate(generation, inputs))
    await client.fetch_output(done.urls[0], into)
    return await asyncio.to_thread(into.read_bytes)


async def test_a_picture_shows_which_finetune_drew_it_and_how_strongly(
    service: AstriaServer, clock: Clock, tmp_path: Path
) -> None:
    def redness(picture: bytes) -> float:
        with Image.open(BytesIO(picture)) as image:
            red, _, blue = ImageStat.Stat(image).mean
        return red - blue

    async with account(service) as client:
        red = (await train_finetune(client, clock, a_spec("red"), "crimson")).ref
        blue = (await train_finetune(client, clock, a_spec("blue"), "navy")).ref
        file = tmp_path / "picture"
        by_red = await draw_picture(client, clock, an_order(red, seed=7), file)
        again = await draw_picture(client, clock, an_order(red, seed=7), file)
        weak = await draw_picture(client, clock, an_order(red, seed=7, finetune_strength=0.2), file)
        by_blue = await draw_picture(client, clock, an_order(blue, seed=7), file)
        other = await draw_picture(client, clock, an_order(red, seed=8), file)

    assert by_red == again
    assert len({by_red, weak, by_blue, other}) == 4
    assert redness(by_red) > redness(by_blue) + 30


async def test_every_setting_of_the_catalogue_is_one_that_the_service_takes(
    service: AstriaServer, clock: Clock
) -> None:
    async with account(service) as client:
        ref = (await train_finetune(client, clock)).ref
        for parameter in MODELS[0].parameters:
            ends: dict[Kind, tuple[Value | None, ...]] = {
                Kind.CHOICE: parameter.choices,
                Kind.BOOLEAN: (True, False),
            }
            for value in ends.get(parameter.kind, (parameter.minimum, parameter.maximum)):
                assert value is not None
                needed: dict[str, Value] = {"super_resolution": True, "controlnet": "canny"}
                generation = catalogue.check(
                    Generation(
                        model="astria-flux",
                        prompt="ohwx cat",
                        parameters={**needed, parameter.name: value},
                        inputs={"input_image": "5e" * 32},
                        finetune=ref,
                    )
                )
                await client.generate(generation, {"input_image": photograph()})
        sent = service.prompts[-1]
        assert sent.input
        assert service.archive.content(sent.input) == photograph()


async def test_an_input_image_shapes_the_picture(service: AstriaServer, clock: Clock, tmp_path: Path) -> None:
    async with account(service) as client:
        ref = (await train_finetune(client, clock)).ref
        made: list[bytes] = []
        for settings in ({}, {"denoising_strength": 0.2}, {"controlnet": "canny"}, {"film_grain": True}):
            order = an_order(ref, seed=1).model_copy(update={"inputs": {"input_image": "5e" * 32}})
            order = order.model_copy(update={"parameters": {**order.parameters, **settings}})
            made.append(await draw_picture(client, clock, order, tmp_path / "picture", input_image=photograph("olive")))
        assert len({*made, await draw_picture(client, clock, an_order(ref, seed=1), tmp_path / "picture")}) == 5


async def test_a_member_who_chose_no_preset_pays_what_was_estimated(service: AstriaServer) -> None:
    async with account(service) as client:
        for number, parameters in enumerate(({}, {"preset": "flux-lora-focus"}, {"preset": "none"}, {"steps": 500})):
            spec = a_spec(f"j{number}-1", parameters=parameters)
            started = await client.create_finetune(spec, a_set(count=20))
            assert started.cost == trainers.estimate(spec, pictures=20)


async def test_what_a_member_types_loads_nobody_elses_tune_and_orders_no_video(
    service: AstriaServer, clock: Clock
) -> None:
    async with account(service) as client:
        mine, other = (
            (await train_finetune(client, clock)).ref,
            (await train_finetune(client, clock, a_spec("j2-1"))).ref,
        )
        typed = f"ohwx cat <lora:{other.remote_id}:1> --video --ar 16:9"
        ticket = await client.generate(an_order(mine, typed), {})
    assert ticket.cost == 25_000
    assert [id_ for id_, _ in service.prompts[0].loras] == [int(mine.remote_id)]


async def test_a_prompt_that_is_not_drawn_says_why(service: AstriaServer, clock: Clock) -> None:
    async with account(service) as client:
        ref = (await train_finetune(client, clock)).ref
        look = await await_look(client, clock, await client.generate(an_order(ref, "ohwx cat, nude"), {}))
        assert look.status is Status.MODERATED_INPUT
        assert "NSFW" in look.reasons[0]
        ticket = await client.generate(an_order(ref), {})
        service.fail(service.prompts[-1], "Face not found")
        look = await await_look(client, clock, ticket)
        assert (look.status, look.reasons) == (Status.FAILED, ("Face not found",))


async def test_a_training_that_fails_says_why(service: AstriaServer, clock: Clock) -> None:
    async with account(service) as client:
        started = await client.create_finetune(a_spec(), a_set())
        service.fail(service.tunes[0], "The pictures are too similar")
        assert (await client.finetune_status(started.ref)).status is Status.WAITING
        clock.time += 300
        training = await client.finetune_status(started.ref)
        assert (training.status, training.reasons) == (Status.FAILED, ("The pictures are too similar",))


async def test_after_thirty_days_all_is_gone(service: AstriaServer, clock: Clock, tmp_path: Path) -> None:
    async with account(service) as client:
        ref = (await train_finetune(client, clock)).ref
        kept = (await train_finetune(client, clock, a_spec("j2-1", parameters={"auto_extend": True}))).ref
        ticket = await client.generate(an_order(ref), {})
        done = await await_look(client, clock, ticket)
        expires_at = (await client.finetune_status(ref)).expires_at
        assert expires_at == pytest.approx(service.tunes[0].ends_at + 30 * DAY, abs=0.01)

        clock.time += 30 * DAY
        assert (await client.finetune_status(ref)).status is Status.MISSING
        assert (await client.finetune_status(kept)).status is Status.READY
        assert (await client.job_status(ticket)).status is Status.MISSING
        with pytest.raises(Broken, match="expired"):
            await client.fetch_output(done.urls[0], tmp_path / "picture")
        with pytest.raises(Refused):
            await client.generate(an_order(ref), {})
        assert await client.list_finetunes() == [kept]


async def test_the_mock_branch_is_free_and_quick(service: AstriaServer, clock: Clock) -> None:
    async with account(service) as client:
        before = await client.balance()
        started = await client.create_finetune(a_spec(parameters={"branch": "fast"}), a_set())
        assert started.cost == 0
        clock.time += 60
        assert (await client.finetune_status(started.ref)).status is Status.READY
        ticket = await client.generate(an_order(started.ref), {})
        assert (await await_look(client, clock, ticket)).status is Status.READY
        assert await client.balance() == before


async def test_a_pack_draws_as_soon_as_the_training_is_over(service: AstriaServer, clock: Clock) -> None:
    async with account(service) as client:
        pets = next(pack for pack in await client.list_packs() if "cat" in pack.class_names)
        started = await client.create_finetune(a_spec(pack=pets.id), a_set())
        clock.time += 284
        assert (await client.finetune_status(started.ref)).samples == ()
        clock.time += 30
        training = await client.finetune_status(started.ref)
        assert (training.status, len(training.samples)) == (Status.READY, 2)
        with pytest.raises(Refused, match="turned that down"):
            await client.create_finetune(a_spec("j2-1", pack=pets.id, class_name="man"), a_set())
        with pytest.raises(Refused, match="no such pack"):
            await client.create_finetune(a_spec("j3-1", pack="999"), a_set())


@pytest.mark.parametrize("meaning", ["exact", "part", "ignored"])
async def test_a_training_whose_answer_was_lost_is_found_again(service: AstriaServer, meaning: Any) -> None:
    service.quirks.title_filter = meaning
    async with account(service) as client:
        await client.create_finetune(a_spec("j1-10"), a_set())
        service.faults.append(Fault("submit", fails_after(504)))
        with pytest.raises(Uncertain):
            await client.create_finetune(a_spec("j1-1"), a_set())
        started = await client.find_finetune(a_spec("j1-1"))
        assert started
        assert started.ref.remote_id == str(service.tunes[1].id)
        assert started.cost == 1_500_000
        assert await client.find_finetune(a_spec("j1-100")) is None


@pytest.mark.parametrize(
    ("trouble", "error", "taken"),
    [
        (faults.answers(429), Unavailable, 0),
        (faults.answers(503), Unavailable, 0),
        (faults.answers(500), Uncertain, 0),
        (faults.html(), Uncertain, 0),
        (faults.malformed(), Uncertain, 0),
        (faults.hangs_up(), Uncertain, 0),
        (faults.loses_the_answer(), Uncertain, 1),
        (faults.truncates(), Uncertain, 1),
        (fails_after(504), Uncertain, 1),
        (faults.rewrites(id=...), Uncertain, 1),
        (faults.redirects("https://evil.example/"), Broken, 0),
    ],
)
async def test_an_order_in_trouble_is_sent_once_and_its_error_says_whether_it_may_have_been_taken(
    service: AstriaServer, clock: Clock, trouble: Callable[..., Any], error: type[BotError], taken: int
) -> None:
    async with account(service) as client:
        service.faults.append(Fault("submit", trouble))
        with pytest.raises(error) as failed:
            await client.create_finetune(a_spec(), a_set())
        assert type(failed.value) is error
        assert len(service.tunes) == taken

        ref = (await train_finetune(client, clock, a_spec("j2-1"))).ref
        service.faults.append(Fault("submit", trouble))
        with pytest.raises(error) as failed:
            await client.generate(an_order(ref), {})
        assert type(failed.value) is error
    assert len(service.prompts) == taken
    assert [received.kind for received in service.requests] == ["submit"] * 3


async def test_the_same_title_gives_the_same_finetune_where_idempotency_is_on(service: AstriaServer) -> None:
    service.quirks.idempotent = True
    async with account(service) as client:
        first = await client.create_finetune(a_spec(), a_set())
        before = await client.balance()
        assert await client.create_finetune(a_spec(), a_set()) == first
        assert await client.balance() == before
        assert (await client.create_finetune(a_spec("j1-2"), a_set())).ref != first.ref


async def test_tight_polling_is_turned_away_and_a_patient_one_is_not(service: AstriaServer, clock: Clock) -> None:
    service.quirks.polling_gap = 2
    async with account(service) as client:
        ref = (await train_finetune(client, clock)).ref
        await client.finetune_status(ref)
        with pytest.raises(Unavailable) as failed:
            await client.finetune_status(ref)
        assert failed.value.retry_after == 30
        clock.time += 2
        assert (await client.finetune_status(ref)).status is Status.READY


async def test_an_empty_account_and_a_wrong_key_are_for_the_admin(service: AstriaServer) -> None:
    service.balance_mc = 149_999
    async with account(service) as client:
        with pytest.raises(Broken, match="no money left"):
            await client.create_finetune(a_spec(), a_set())
        assert await client.balance() == 1_499_990
    async with account(service, key="another-key") as client:
        with pytest.raises(Broken, match="did not accept the key"):
            await client.create_finetune(a_spec(), a_set())
    assert service.tunes == []


@pytest.mark.parametrize("tells", [True, False])
async def test_a_finetune_is_deleted_once_and_for_all(service: AstriaServer, tells: bool) -> None:
    service.quirks.tells_deleted = tells
    async with account(service) as client:
        ref = (await client.create_finetune(a_spec(), a_set())).ref
        await client.delete_finetune(ref)
        await client.delete_finetune(ref)
        assert (await client.finetune_status(ref)).status is Status.MISSING
        assert await client.list_finetunes() == []


async def test_all_finetunes_are_listed_page_by_page(service: AstriaServer) -> None:
    async with account(service) as client:
        made = [(await client.create_finetune(a_spec(f"j{number}-1"), a_set(count=1))).ref for number in range(60)]
        assert await client.list_finetunes() == made[::-1]
        facts = await client.finetune_details(made[0])
        assert (facts["Title"], facts["Pictures"]) == ("Mimi · j0-1", "1")


async def test_pictures_are_inspected(service: AstriaServer) -> None:
    def marked(corner: tuple[int, int], colour: str) -> bytes:
        with Image.open(BytesIO(photograph())) as image:
            image.paste(colour, (*corner, corner[0] + 16, corner[1] + 16))
            file = BytesIO()
            image.save(file, "JPEG", quality=95)
        return file.getvalue()

    async with account(service) as client:

        async def complaints(content: bytes) -> tuple[str, ...]:
            return (await client.inspect_image(TrainingPicture("0001.jpg", content), "cat")).complaints

        assert await complaints(photograph()) == ()
        assert await complaints(photograph(size=(300, 300))) == ("low resolution",)
        assert await complaints(marked((0, 0), "magenta")) == ("several people",)
        assert await complaints(marked((584, 0), "cyan")) == ("sunglasses",)
        file = BytesIO()
        Image.new("RGB", (600, 600), "gray").save(file, "JPEG", quality=95)
        assert "blurry" in await complaints(file.getvalue())
        with pytest.raises(Refused):
            await complaints(b"no picture")


async def test_a_list_that_is_turned_down_is_not_taken_for_a_provider_without_lists(service: AstriaServer) -> None:
    async with account(service) as client:
        service.faults.append(Fault("other", faults.answers(400, {"error": "title is odd"})))
        with pytest.raises(Broken, match="title is odd"):
            await client.find_finetune(a_spec())


async def test_a_callback_comes_once_whatever_it_meets(service: AstriaServer, clock: Clock) -> None:
    came: list[Any] = []

    async def listen(request: web.Request) -> web.Response:
        came.append(await request.json())
        return web.Response(status=500)

    app = web.Application()
    app.router.add_post("/hook", listen)
    async with TestServer(app) as ours, account(service) as client:
        hook = Callback(f"{ours.make_url('/hook')}?token=abc", "never sent")
        started = await client.create_finetune(a_spec(), a_set(), hook)
        assert await service.deliver_callbacks() == 0
        clock.time += 300
        assert await service.deliver_callbacks() == 0  # sent, and not taken
        assert await service.deliver_callbacks() == 0
        assert [body["tune"]["id"] for body in came] == [int(started.ref.remote_id)]

        service.quirks.early_callbacks = True
        await client.generate(an_order(started.ref), {}, hook)
        clock.time += 5
        await service.deliver_callbacks()
        await service.deliver_callbacks()
        assert "images" not in came[-1]["prompt"]
        clock.time += 30
        service.quirks.callbacks = "bare"
        await service.deliver_callbacks("https://pictures.example")
        assert came[-1]["images"][0].startswith("https://pictures.example/mp/")
        assert len(came) == 3
