"""The client against the stand-in, which behaves as the service does from one request to the next."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from PIL import Image
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.http import client as http
from bot.http.client import Timeouts
from bot.providers import catalogue
from bot.providers.bfl.client import Bfl
from bot.providers.bfl.models import MODELS
from bot.providers.interface import FinetuneRef, Generation, Look, Status, Ticket
from bot.providers.parameters import Model, Value
from standins.base import faults
from standins.base.faults import Fault
from standins.bfl import BflServer
from standins.bfl.faults import giant_refusal
from tests.scenes.clock import Clock

KEY = "sandbox-key"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> BflServer:
    return BflServer(clock=clock, keys=[KEY], duration=5, picture_size=64)


@contextlib.asynccontextmanager
async def account(
    service: BflServer, *, key: str = KEY, timeouts: Timeouts = http.DEFAULT_TIMEOUTS
) -> AsyncGenerator[Bfl]:
    """The client, each of whose regions is a server of its own."""
    async with contextlib.AsyncExitStack() as stack:
        bases: dict[str, str] = {}
        for region in ("global", "us1", "eu1"):
            server = await stack.enter_async_context(TestServer(service.app(region)))
            bases[region] = str(server.make_url("/").origin())
        session = await stack.enter_async_context(http.session())
        yield Bfl(session, key=SecretStr(key), bases=bases, timeouts=timeouts)


def a_cat(model: str = "flux-pro-1.1", prompt: str = "a cat", **parameters: Value) -> Generation:
    return catalogue.check(Generation(model=model, prompt=prompt, parameters=parameters))


def photograph() -> bytes:
    file = BytesIO()
    Image.new("RGB", (256, 256), "teal").save(file, "JPEG")
    return file.getvalue()


async def await_look(client: Bfl, clock: Clock, ticket: Ticket) -> Look:
    clock.time += 60
    return await client.job_status(ticket)


async def test_a_picture_is_ordered_watched_and_fetched(service: BflServer, clock: Clock, tmp_path: Path) -> None:
    service.quirks.progress = "percent"
    async with account(service) as client:
        before = await client.balance()
        ticket = await client.generate(a_cat(seed=7), {})

        clock.time += 2.5
        under_way = await client.job_status(ticket)
        done = await await_look(client, clock, ticket)
        await client.fetch_output(done.urls[0], tmp_path / "picture")

        assert under_way.status is Status.RUNNING
        assert under_way.progress == pytest.approx(0.5, abs=0.01)
        assert (done.status, done.seed, done.seconds) == (Status.READY, 7, 5)
        assert ticket.cost == 40_000
        assert await client.balance() == before - 40_000
        with Image.open(tmp_path / "picture") as picture:
            assert picture.format == "JPEG"
        assert [received.key for received in service.requests if received.kind == "sample"] == [None]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.key)
async def test_every_model_of_the_catalogue_can_be_ordered(service: BflServer, clock: Clock, model: Model) -> None:
    service.finetunes["f-1"] = "eu1"
    images = {role.name: photograph() for role in model.roles if role.required or role.name == "mask"}
    generation = catalogue.check(
        Generation(
            model=model.key,
            prompt="a cat",
            parameters={"left": 32} if model.parameter("left") else {},
            inputs=dict.fromkeys(images, "5e" * 32),
            finetune=FinetuneRef(provider="bfl", remote_id="f-1", region="eu1") if model.finetuned else None,
        )
    )
    async with account(service) as client:
        ticket = await client.generate(generation, images)
        assert (await await_look(client, clock, ticket)).status is Status.READY

    assert service.tasks[0].region == ("eu1" if model.finetuned else "global")
    size = service.tasks[0].size
    asked = generation.parameters.get("width"), generation.parameters.get("height")
    assert asked in {size, (None, None)}


async def test_what_is_moderated_says_why(service: BflServer, clock: Clock) -> None:
    async with account(service) as client:
        look = await await_look(client, clock, await client.generate(a_cat(prompt="a nude cat"), {}))
        assert (look.status, look.reasons) == (Status.MODERATED_INPUT, ("Sexual Content",))
        look = await await_look(client, clock, await client.generate(a_cat(prompt="a gory cat"), {}))
        assert (look.status, look.reasons) == (Status.MODERATED_OUTPUT, ("Violence",))


async def test_a_new_task_may_be_missing_for_a_while(service: BflServer, clock: Clock) -> None:
    service.quirks.appears_after = 2
    async with account(service) as client:
        ticket = await client.generate(a_cat(), {})
        assert (await client.job_status(ticket)).status is Status.MISSING
        clock.time += 2
        assert (await client.job_status(ticket)).status is Status.RUNNING


async def test_a_full_account_is_told_from_an_empty_one(service: BflServer) -> None:
    async with account(service) as client:
        service.active_limit, service.quirks.retry_after = 1, 17
        await client.generate(a_cat(), {})
        with pytest.raises(Unavailable) as full:
            await client.generate(a_cat(), {})
        assert full.value.retry_after == 17

        service.credits = 1
        with pytest.raises(Broken, match="out of credits"):
            await client.generate(a_cat(), {})
    assert len(service.tasks) == 1


async def test_a_key_that_is_not_accepted_is_for_the_admin(service: BflServer) -> None:
    async with account(service, key="another-key") as client:
        with pytest.raises(Broken, match="did not accept the key"):
            await client.generate(a_cat(), {})


async def test_a_finetune_of_another_region_is_not_known(service: BflServer) -> None:
    service.finetunes["f-1"] = "us1"
    finetune = FinetuneRef(provider="bfl", remote_id="f-1", region="eu1")
    generation = catalogue.check(Generation(model="flux-pro-finetuned", prompt="TOK", finetune=finetune))
    async with account(service) as client:
        with pytest.raises(Refused, match="does not know this finetune"):
            await client.generate(generation, {})


async def test_a_withdrawn_model_is_said_to_be_withdrawn(clock: Clock) -> None:
    async with account(BflServer(clock=clock, keys=[KEY], era=2026)) as client:
        with pytest.raises(Broken, match=r"no longer offers FLUX\.1 \[pro\]"):
            await client.generate(a_cat("flux-pro"), {})


@pytest.mark.parametrize(
    ("trouble", "error", "taken"),
    [
        (faults.answers(429), Unavailable, 0),
        (faults.answers(503), Unavailable, 0),
        (faults.answers(500), Uncertain, 0),
        (faults.answers(504), Uncertain, 0),
        (faults.html(), Uncertain, 0),
        (faults.malformed(), Uncertain, 0),
        (faults.hangs_up(), Uncertain, 0),
        (faults.loses_the_answer(), Uncertain, 1),
        (faults.truncates(), Uncertain, 1),
        (faults.waits(asyncio.Event().wait), Uncertain, 1),
        (faults.rewrites(id=...), Uncertain, 1),
        (faults.redirects("https://evil.example/"), Broken, 0),
        (giant_refusal(), Refused, 0),
    ],
)
async def test_an_order_in_trouble_is_sent_once_and_its_error_says_whether_it_may_have_been_taken(
    service: BflServer, trouble: Callable[..., Any], error: type[BotError], taken: int
) -> None:
    service.faults.append(Fault("submit", trouble))
    async with account(service, timeouts=Timeouts(total=0.2)) as client:
        with pytest.raises(error) as failed:
            await client.generate(a_cat(), {})

    assert type(failed.value) is error
    assert "a secret prompt" not in str(failed.value)
    assert len(service.tasks) == taken
    assert [received.kind for received in service.requests] == ["submit"]


@pytest.mark.parametrize("trouble", [faults.answers(500), faults.html(), faults.malformed(), faults.answers(429)])
async def test_a_look_in_trouble_may_be_repeated(service: BflServer, clock: Clock, trouble: Callable[..., Any]) -> None:
    async with account(service) as client:
        ticket = await client.generate(a_cat(), {})
        service.faults.append(Fault("poll", trouble))
        with pytest.raises(Unavailable):
            await client.job_status(ticket)
        assert (await await_look(client, clock, ticket)).status is Status.READY


async def test_a_receipt_without_a_polling_address_can_be_followed_up(service: BflServer, clock: Clock) -> None:
    service.faults.append(Fault("submit", faults.rewrites(polling_url=...)))
    async with account(service) as client:
        ticket = await client.generate(a_cat(), {})
        assert ticket.polling_url is None
        assert (await await_look(client, clock, ticket)).status is Status.READY


async def test_a_link_is_dead_after_ten_minutes(service: BflServer, clock: Clock, tmp_path: Path) -> None:
    async with account(service) as client:
        done = await await_look(client, clock, await client.generate(a_cat(), {}))
        clock.time += 600
        with pytest.raises(Broken, match="expired"):
            await client.fetch_output(done.urls[0], tmp_path / "picture")


async def test_a_download_that_breaks_off_or_floods_leaves_nothing(
    service: BflServer, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.bfl.client.LARGEST_PICTURE", 1_000_000)
    async with account(service) as client:
        done = await await_look(client, clock, await client.generate(a_cat(), {}))
        for trouble, error in (
            (faults.truncates(), Unavailable),
            (faults.floods(1_000_001), Broken),
            (faults.floods(1_000_001, announced=True), Broken),
            (faults.redirects("http://169.254.169.254/"), Broken),
        ):
            service.faults.append(Fault("sample", trouble))
            with pytest.raises(error):
                await client.fetch_output(done.urls[0], tmp_path / "picture")
            assert not (tmp_path / "picture").exists()


async def test_a_server_of_2025_knows_the_old_models_and_tells_neither_price_nor_balance(clock: Clock) -> None:
    async with account(BflServer(clock=clock, keys=[KEY], era=2025, duration=5)) as client:
        ticket = await client.generate(a_cat("flux-pro", steps=30, guidance=3, interval=2), {})
        assert ticket.cost is None
        assert (await await_look(client, clock, ticket)).status is Status.READY
        with pytest.raises(Refused):
            await client.balance()


async def test_large_pictures_arrive_whole(service: BflServer, clock: Clock) -> None:
    picture = photograph() + bytes(6_000_000)
    generation = catalogue.check(
        Generation(model="flux-kontext-max", prompt="a hat", inputs={"input_image": "5e", "input_image_2": "5f"})
    )
    async with account(service) as client:
        ticket = await client.generate(generation, {"input_image": picture, "input_image_2": picture})
        assert (await await_look(client, clock, ticket)).status is Status.READY
    assert service.archive.content(service.tasks[0].body["input_image"]) == picture
