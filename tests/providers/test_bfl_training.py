"""The client trains at Black Forest Labs: against the stand-in, and against answers that the service has given."""

import contextlib
import io
import json
import logging
import zipfile
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.http import client as http
from bot.providers import catalogue
from bot.providers.bfl import training as bfl_training
from bot.providers.bfl.client import Bfl
from bot.providers.bfl.training import finetune_body
from bot.providers.interface import Callback, FinetuneRef, Generation, Status
from bot.providers.training import FinetuneSpec, TrainedSubject, Training, TrainingProvider, TrainingSet, Withdrawn
from standins.base import faults
from standins.base.faults import Fault
from standins.bfl import BflServer
from tests import SPECS
from tests.scenes.clock import Clock

KEY = "sandbox-key"
NOTHING: dict[str, Any] = {}
TRAINING = 1000.0  # seconds
SPEC = FinetuneSpec(
    id="j-7", name="My cat", trainer="bfl", subject=TrainedSubject.CHARACTER, trigger="mycat", region="us1"
)
REF = FinetuneRef(provider="bfl", remote_id="f-1", region="us1")
CALLBACK = Callback(url="https://bot.example/callbacks/unguessable", secret="shh")


@pytest.fixture
def clock() -> Clock:
    return Clock(1_740_000_000.0)


@pytest.fixture
def service(clock: Clock) -> BflServer:
    return BflServer(clock=clock, keys=[KEY], duration=5, training_duration=TRAINING, picture_size=64, era=2025)


@contextlib.asynccontextmanager
async def account(service: BflServer) -> AsyncGenerator[Bfl]:
    """The client, each of whose regions is a server of its own."""
    async with contextlib.AsyncExitStack() as stack:
        bases: dict[str, str] = {}
        for region in ("global", "us1", "eu1"):
            server = await stack.enter_async_context(TestServer(service.app(region)))
            bases[region] = str(server.make_url("/").origin())
        session = await stack.enter_async_context(http.session())
        yield Bfl(session, key=SecretStr(KEY), bases=bases)


class Answers:
    """A server with one answer for each path, (404 for the others), which remembers what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers: Mapping[str, Any] = answers
        self.asked: list[str] = []
        self.bodies: list[Any] = []

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path.removeprefix("/v1/").replace("-", "_").replace(".", "_")
        self.asked.append(f"{request.method} {request.path_qs}")
        if request.method == "POST":
            self.bodies.append(await request.json())
        answer = self.answers.get(name, (404, {"detail": "Not Found"}))
        status, body = cast("tuple[int, Any]", answer) if isinstance(answer, tuple) else (200, answer)
        return web.json_response(body, status=status)


@contextlib.asynccontextmanager
async def serve_answers(answers: Answers) -> AsyncGenerator[Bfl]:
    """The client, all of whose regions give these answers."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", answers.answer)
    async with TestServer(app) as server, http.session() as session:
        origin = str(server.make_url("/").origin())
        yield Bfl(session, key=SecretStr(KEY), bases={"global": origin, "us1": origin, "eu1": origin})


def training_set(colour: str = "orange", pictures: int = 2) -> TrainingSet:
    photograph, file = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(photograph, "JPEG")
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(pictures):
            entry = zipfile.ZipInfo(f"{number + 1:04}.jpg")
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, photograph.getvalue())
    return TrainingSet((), file.getvalue())


async def test_a_finetune_is_trained_watched_used_listed_explained_and_deleted(
    service: BflServer, clock: Clock
) -> None:
    service.quirks.progress = "percent"
    async with account(service) as client:
        trainer: TrainingProvider = client
        started = await trainer.create_finetune(SPEC, training_set(), CALLBACK)
        assert started.ref == FinetuneRef(provider="bfl", remote_id=service.tasks[0].id, region="us1", trigger="mycat")
        clock.time += TRAINING / 2
        assert await trainer.finetune_status(started.ref) == Training(status=Status.RUNNING, progress=0.5)
        assert await trainer.list_finetunes() == []
        with pytest.raises(Refused, match="does not know this finetune, or has not finished it"):
            await trainer.finetune_details(started.ref)

        clock.time += TRAINING / 2
        assert await trainer.finetune_status(started.ref) == Training(status=Status.READY)
        mine = started.ref.model_copy(update={"trigger": ""})
        assert await trainer.list_finetunes() == [mine] == await trainer.list_finetunes("us1")
        assert await trainer.list_finetunes("eu1") == []
        facts = await trainer.finetune_details(started.ref)
        assert facts.items() >= {"finetune comment": "My cat · j-7", "captioning": "yes", "iterations": "300"}.items()

        generation = catalogue.check(Generation(model="flux-pro-finetuned", prompt="mycat", finetune=started.ref))
        ticket = await trainer.generate(generation, {})
        clock.time += 60
        assert (await trainer.job_status(ticket)).status is Status.READY

        await trainer.delete_finetune(started.ref)
        await trainer.delete_finetune(started.ref)  # gone already is fine
        assert await trainer.list_finetunes() == []


async def test_only_what_was_chosen_is_sent_and_the_archive_is_the_very_one() -> None:
    answers = Answers(finetune={"finetune_id": "6fc5e628-6f56-48ec-93cb-c6a6b22bf5a"})  # a character short of a UUID
    chosen = SPEC.model_copy(update={"parameters": {"finetune_type": "lora", "lora_rank": "16"}})
    async with serve_answers(answers) as client:
        started = await client.create_finetune(chosen, TrainingSet((), b"PK-zip"))
        await client.create_finetune(SPEC, TrainingSet((), b"PK-zip"), CALLBACK)

    assert started.ref.remote_id == "6fc5e628-6f56-48ec-93cb-c6a6b22bf5a"
    usual = {
        "file_data": "UEstemlw",
        "finetune_comment": "My cat · j-7",
        "mode": "character",
        "trigger_word": "mycat",
    }
    assert answers.bodies == [
        {**usual, "finetune_type": "lora", "lora_rank": 16},
        {**usual, "webhook_url": CALLBACK.url, "webhook_secret": "shh"},
    ]


@pytest.mark.parametrize("body", [{"id": "f-1"}, {"finetune_id": "f-1", "id": "another", "status": 5}])
async def test_a_receipt_names_the_finetune_in_one_of_two_ways(body: object) -> None:
    async with serve_answers(Answers(finetune=body)) as client:
        assert (await client.create_finetune(SPEC, training_set())).ref.remote_id == "f-1"


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        ((404, {"detail": "Not Found"}), Withdrawn, "no longer offers training on this server.*Another trainer may do"),
        ((405, {"detail": "Method Not Allowed"}), Withdrawn, "no longer offers training"),
        ((410, NOTHING), Withdrawn, "no longer offers training"),
        ((402, {"detail": "Insufficient credits."}), Broken, "out of credits"),
        ((403, {"detail": "Not authenticated"}), Broken, "did not accept the key"),
        ((429, {"detail": "Too many"}), Unavailable, "at once"),
        ((503, NOTHING), Unavailable, "busy"),
        ((500, NOTHING), Uncertain, "failed after"),
        ((200, NOTHING), Uncertain, "unreadable"),
        ((200, {"finetune_id": ""}), Uncertain, "unreadable"),
    ],
)
async def test_an_order_that_fails_says_what_happens_next(answer: Any, error: type[BotError], sentence: str) -> None:
    async with serve_answers(Answers(finetune=answer)) as client:
        with pytest.raises(error, match=sentence) as failed:
            await client.create_finetune(SPEC, training_set())
    assert type(failed.value) is error


async def test_a_server_of_2026_trains_nothing_and_says_so(clock: Clock) -> None:
    async with account(BflServer(clock=clock, keys=[KEY], era=2026)) as client:
        with pytest.raises(Withdrawn):
            await client.create_finetune(SPEC, training_set())


async def test_a_training_set_that_is_turned_down_is_not_repeated_to_the_log(
    service: BflServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with account(service) as client:
        with pytest.raises(Refused, match="Invalid ZIP file") as failed:
            await client.create_finetune(SPEC, TrainingSet((), b"secret pictures" * 100_000), CALLBACK)
    assert "c2VjcmV0" not in caplog.text + str(failed.value)
    assert "shh" not in caplog.text
    assert KEY not in caplog.text


async def test_a_region_without_trainings_is_not_asked(service: BflServer) -> None:
    async with account(service) as client:
        with pytest.raises(Broken, match="us1 and eu1"):
            await client.create_finetune(SPEC.model_copy(update={"region": "global"}), training_set())
    assert not service.requests


async def test_a_lost_receipt_is_found_by_its_label_when_the_training_is_over(service: BflServer, clock: Clock) -> None:
    service.quirks.listed_as = "objects"
    service.faults.append(Fault("train", faults.loses_the_answer()))
    async with account(service) as client:
        with pytest.raises(Uncertain):
            await client.create_finetune(SPEC, training_set())
        await client.create_finetune(SPEC.model_copy(update={"id": "j-8"}), training_set())
        assert await client.find_finetune(SPEC) is None
        clock.time += TRAINING
        started = await client.find_finetune(SPEC)
        assert started is not None
        assert started.ref == FinetuneRef(provider="bfl", remote_id=service.tasks[0].id, region="us1", trigger="mycat")
        assert await client.find_finetune(SPEC.model_copy(update={"region": "eu1"})) is None
        asked = len(service.requests)
        assert await client.find_finetune(SPEC) == started
        assert [each.path for each in list(service.requests)[asked:]] == ["/v1/my_finetunes"]  # the rest is remembered


async def test_a_search_asks_for_so_many_details_and_goes_on_next_time(
    service: BflServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bfl_training, "DETAILS_AT_ONCE", 2)
    service.finetunes = dict.fromkeys([SPEC.label, "b", "c", "d", "e"], "us1")  # each says its id for a comment
    async with account(service) as client:
        assert await client.find_finetune(SPEC) is None
        assert await client.find_finetune(SPEC) is None
        started = await client.find_finetune(SPEC)
    assert started is not None
    assert started.ref.remote_id == SPEC.label
    assert sum(each.path == "/v1/finetune_details" for each in service.requests) == 5


async def test_what_is_not_listed_any_more_is_not_remembered(service: BflServer) -> None:
    async with account(service) as client:
        for number in range(30):
            service.finetunes = {f"finetune-{number}": "us1"}
            assert await client.find_finetune(SPEC) is None
        assert len(client._comments) == 1  # pyright: ignore[reportPrivateUsage]


async def test_a_finetune_whose_task_was_forgotten_is_ready_if_it_has_details(service: BflServer, clock: Clock) -> None:
    service.quirks.training_appears_after = 10
    service.quirks.training_forgotten_after = 0
    async with account(service) as client:
        ref = (await client.create_finetune(SPEC, training_set())).ref
        assert await client.finetune_status(ref) == Training(status=Status.MISSING)
        clock.time += TRAINING
        assert await client.finetune_status(ref) == Training(status=Status.READY)
        await client.delete_finetune(ref)
        assert await client.finetune_status(ref) == Training(status=Status.MISSING)


async def test_an_error_is_reported_and_may_pass_and_a_crash_is_waited_out(service: BflServer, clock: Clock) -> None:
    service.quirks.training_errors = (0, 100)
    service.quirks.training_crashes = (100, 500)
    async with account(service) as client:
        ref = (await client.create_finetune(SPEC, training_set())).ref
        assert (await client.finetune_status(ref)).status is Status.FAILED
        clock.time += 100
        with pytest.raises(Unavailable, match="trouble"):
            await client.finetune_status(ref)
        clock.time += 400
        assert (await client.finetune_status(ref)).status is Status.RUNNING
        service.quirks.training_errors = (0, 10 * TRAINING)
        clock.time += TRAINING
        assert (await client.finetune_status(ref)).status is Status.READY  # its details know better


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": "Pending", "progress": None}, Training(status=Status.RUNNING)),
        ({"status": "Pending", "progress": 0.25}, Training(status=Status.RUNNING, progress=0.25)),
        ({"status": "Pending", "progress": 25}, Training(status=Status.RUNNING, progress=0.25)),
        ({"status": "Queued"}, Training(status=Status.WAITING)),
        ({"status": "Ready", "result": NOTHING}, Training(status=Status.READY)),
        (
            {"status": "Request Moderated", "details": {"Moderation Reasons": ["Sexual Content"]}},
            Training(status=Status.MODERATED_INPUT, reasons=("Sexual Content",)),
        ),
        ({"status": "Error", "details": "Out of memory"}, Training(status=Status.FAILED, reasons=("Out of memory",))),
        ((404, NOTHING), Training(status=Status.MISSING)),
    ],
)
async def test_a_look_is_understood(answer: Any, expected: Training) -> None:
    async with serve_answers(Answers(get_result=answer)) as client:
        assert await client.finetune_status(REF) == expected


async def test_details_tell_people_no_secrets() -> None:
    details = {"trigger_word": "TOK", "lora_rank": 32, "webhook_secret": "shh", "learning_rate": None, "Webhook": "x"}
    async with serve_answers(Answers(finetune_details={"finetune_details": details})) as client:
        assert await client.finetune_details(REF) == {"trigger word": "TOK", "lora rank": "32"}


async def test_a_server_that_deletes_nothing_any_more_says_so() -> None:
    async with serve_answers(Answers(finetune_details={"finetune_details": {"mode": "style"}})) as client:
        with pytest.raises(Refused, match="deletes no finetunes"):
            await client.delete_finetune(REF)
        with pytest.raises(Refused, match="lists no finetunes"):
            await client.list_finetunes()


async def test_a_callback_is_asked_for_only_where_an_id_is_enough_to_poll() -> None:
    answers = Answers(flux_pro_1_1={"id": "t-1"}, flux_pro_finetuned={"id": "t-2"})
    cat = catalogue.check(Generation(model="flux-pro-1.1", prompt="a cat"))
    mine = catalogue.check(Generation(model="flux-pro-finetuned", prompt="mycat", finetune=REF))
    async with serve_answers(answers) as client:
        await client.generate(cat, {}, CALLBACK)
        await client.generate(mine, {}, CALLBACK)
    anywhere, single = answers.bodies
    assert "webhook_url" not in anywhere
    assert (single["webhook_url"], single["webhook_secret"]) == (CALLBACK.url, "shh")


def test_what_is_sent_is_what_the_published_specification_names() -> None:
    file = SPECS / "bfl-2025-02.openapi.json"
    if not file.exists():
        pytest.skip(f"the published specification {file.name} is not at hand")
    theirs = json.loads(file.read_text())["components"]["schemas"]["FinetuneInputs"]
    parameters: dict[str, bool | int | float | str] = {
        "iterations": 300,
        "learning_rate": 1e-5,
        "priority": "speed",
        "captioning": False,
        "finetune_type": "full",
        "lora_rank": "32",
    }
    body = finetune_body(SPEC.model_copy(update={"parameters": parameters}), training_set(), CALLBACK)
    assert body.keys() == theirs["properties"].keys()
    for name, value in body.items():
        allowed = theirs["properties"][name].get("enum")
        assert allowed is None or value in allowed
