"""The stand-in of Black Forest Labs trains as the service did, and gets wrong what that got wrong."""

import base64
import json
import zipfile
from collections.abc import AsyncGenerator, Callable, Coroutine
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image, ImageStat
from yarl import URL

from standins.bfl import BflServer
from standins.bfl.training import DeleteFinetuneInputs, FinetuneInputs
from tests import SPECS
from tests.scenes.clock import Clock

UNKNOWN = (404, {"detail": "Finetune not found or not ready"})
TRAINING = 1000.0  # seconds


class Trainee:
    """Somebody who trains with an HTTP client and nothing else."""

    def __init__(self, session: aiohttp.ClientSession, origin: URL) -> None:
        self.session = session
        self.origin = origin

    async def ask(self, name: str, body: dict[str, Any] | None = None, **query: str) -> tuple[int, Any]:
        address = self.origin / "v1" / name % query
        method = "GET" if body is None else "POST"
        async with self.session.request(method, address, json=body, headers={"x-key": "sandbox-key"}) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type == "application/json" else text

    async def train(self, **changes: Any) -> str:
        status, answer = await self.ask("finetune", order(**changes))
        assert status == 200, answer
        return answer["finetune_id"]

    async def status(self, id_: str) -> Any:
        return (await self.ask("get_result", id=id_))[1]["status"]

    async def listed(self) -> Any:
        return (await self.ask("my_finetunes"))[1]["finetunes"]


def order(**changes: Any) -> dict[str, Any]:
    return {"file_data": pack_files(), "finetune_comment": "my cat", "mode": "character", **changes}


def photograph(colour: str = "orange") -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "JPEG")
    return file.getvalue()


def pack_files(files: dict[str, bytes] | None = None, *, attributes: int = 0o100644 << 16) -> str:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (files or {"0001.jpg": photograph()}).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = attributes
            archive.writestr(entry, content)
    return base64.b64encode(file.getvalue()).decode()


Open = Callable[..., Coroutine[Any, Any, tuple[BflServer, Trainee]]]


@pytest.fixture
def clock() -> Clock:
    return Clock(1_740_000_000.0)


@pytest.fixture
async def open_server(clock: Clock) -> AsyncGenerator[Open]:
    """Open a stand-in with these switches, on a port of its own."""
    async with aiohttp.ClientSession() as session:
        served: list[TestServer] = []

        async def open_(
            *, region: Any = "us1", server: BflServer | None = None, **options: Any
        ) -> tuple[BflServer, Trainee]:
            usual: dict[str, Any] = {"duration": 10, "training_duration": TRAINING, "picture_size": 64}
            switches: dict[str, Any] = {**usual, **options}
            bfl = server or BflServer(clock=clock, **switches)
            test_server = TestServer(bfl.app(region))
            await test_server.start_server()
            served.append(test_server)
            return bfl, Trainee(session, test_server.make_url("/"))

        yield open_
        for test_server in served:
            await test_server.close()


async def test_a_training_is_a_task_and_then_a_finetune_that_can_be_looked_at_and_deleted(
    open_server: Open, clock: Clock
) -> None:
    server, trainee = await open_server()
    id_ = await trainee.train(finetune_type="lora", webhook_secret="shh")

    assert await trainee.status(id_) == "Pending"
    assert await trainee.listed() == []  # not before it is done
    assert await trainee.ask("finetune_details", finetune_id=id_) == UNKNOWN
    assert await trainee.ask("flux-pro-finetuned", {"finetune_id": id_}) == UNKNOWN

    clock.time += TRAINING
    assert await trainee.status(id_) == "Ready"
    assert await trainee.listed() == [id_]
    assert (await trainee.ask("finetune_details", finetune_id=id_))[1]["finetune_details"] == {
        "finetune_comment": "my cat",
        "trigger_word": "TOK",
        "mode": "character",
        "iterations": 300,
        "learning_rate": 1e-4,
        "captioning": True,
        "priority": "quality",
        "finetune_type": "lora",
        "lora_rank": 32,
        "timestamp": "2025-02-19T21:20:00+00:00",
    }
    assert (await trainee.ask("flux-pro-finetuned", {"finetune_id": id_}))[0] == 200

    status, deleted = await trainee.ask("delete_finetune", {"finetune_id": id_})
    assert (status, deleted["deleted_finetune_id"]) == (200, id_)
    assert await trainee.listed() == []
    assert await trainee.ask("delete_finetune", {"finetune_id": id_}) == UNKNOWN
    assert server.requests[0].kind == "train"


@pytest.mark.parametrize(("iterations", "credits"), [(149, 200), (150, 400), (500, 400), (501, 600)])
async def test_a_training_is_paid_when_it_is_ready(
    open_server: Open,
    clock: Clock,
    iterations: int,
    credits: int,  # noqa: A002 - BFL's word
) -> None:
    server, trainee = await open_server(credits=600)
    await trainee.train(iterations=iterations)
    assert server.credits == 600
    clock.time += TRAINING
    assert server.credits == 600 - credits
    assert (await trainee.ask("finetune", order(iterations=1000)))[0] == 402


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ("!", "Value error, Invalid base64 data"),
        (base64.b64encode(b"no zip").decode(), "Value error, Invalid ZIP file"),
        (pack_files(attributes=0o100755 << 16), "Value error, Suspicious file attributes detected: 0001.jpg"),
        (pack_files(attributes=0o120644 << 16), "Value error, Suspicious file attributes detected: 0001.jpg"),
        (pack_files({"a/0001.jpg": photograph()}), "Value error, Nested directories are not allowed: a/0001.jpg"),
        (pack_files({"0001.jpg": b"text"}), "Value error, Cannot identify image: 0001.jpg"),
        (pack_files({"0001.txt": b"a cat"}), "Value error, No images found in ZIP file"),
        (pack_files({"more.zip": b"PK"}), "Value error, Unsupported file type: more.zip"),
    ],
)
async def test_a_bad_training_set_is_refused_and_the_whole_of_it_is_echoed(
    open_server: Open, sent: str, message: str
) -> None:
    _, trainee = await open_server()
    status, answer = await trainee.ask("finetune", order(file_data=sent))
    [problem] = answer["detail"]
    assert (status, problem["loc"], problem["msg"]) == (422, ["body", "file_data"], message)
    assert problem["input"]["file_data"] == sent


@pytest.mark.parametrize(
    ("field", "value"),
    [("iterations", 99), ("iterations", 1001), ("mode", "person"), ("lora_rank", 8), ("learning_rate", 0.01)],
)
async def test_a_setting_out_of_its_range_is_refused(open_server: Open, field: str, value: object) -> None:
    _, trainee = await open_server()
    status, answer = await trainee.ask("finetune", order(**{field: value}))
    assert (status, answer["detail"][0]["loc"]) == (422, ["body", field])


async def test_too_many_pictures_and_bad_words_are_moderated_and_not_paid(open_server: Open, clock: Clock) -> None:
    server, trainee = await open_server()
    many = await trainee.train(file_data=pack_files({f"{n:04}.jpg": photograph() for n in range(21)}))
    named = await trainee.train(finetune_comment="nude")
    described = await trainee.train(file_data=pack_files({"0001.jpg": photograph(), "0001.txt": b"a nazi"}))
    clock.time += TRAINING
    assert [await trainee.status(id_) for id_ in (many, named, described)] == ["Request Moderated"] * 3
    assert (server.credits, await trainee.listed()) == (10_000, [])


async def test_a_finetune_is_known_in_its_own_region_only(open_server: Open, clock: Clock) -> None:
    server, us = await open_server()
    _, eu = await open_server(server=server, region="eu1")
    id_ = await us.train()
    clock.time += TRAINING
    assert await us.listed() == [id_]
    assert await eu.listed() == []
    assert await eu.status(id_) == "Task not found"
    assert await eu.ask("finetune_details", finetune_id=id_) == UNKNOWN
    assert await eu.ask("delete_finetune", {"finetune_id": id_}) == UNKNOWN
    assert await eu.ask("flux-pro-finetuned", {"finetune_id": id_}) == UNKNOWN


async def test_since_2026_nothing_is_trained_but_what_there_is_can_be_asked_for(open_server: Open) -> None:
    server, trainee = await open_server(era=2026)
    server.finetunes["old"] = "us1"
    _, everywhere = await open_server(server=server, region="global")
    assert await trainee.ask("finetune", order()) == (404, {"detail": "Not Found"})
    assert await trainee.listed() == ["old"]
    assert await everywhere.listed() == ["old"]


async def test_what_is_said_of_a_training_may_be_odd_for_a_while(open_server: Open, clock: Clock) -> None:
    server, trainee = await open_server()
    server.quirks.training_appears_after = 10
    server.quirks.training_errors = (20, 100)
    server.quirks.training_crashes = (100, 500)
    server.quirks.training_forgotten_after = 60
    server.quirks.progress = "percent"
    server.quirks.listed_as = "objects"
    id_ = await trainee.train()

    assert await trainee.status(id_) == "Task not found"
    clock.time += 50
    assert await trainee.status(id_) == "Error"
    clock.time += 50
    assert await trainee.ask("get_result", id=id_) == (500, "Internal Server Error")
    clock.time += 400
    assert (await trainee.ask("get_result", id=id_))[1]["progress"] == 50
    clock.time += 500
    assert await trainee.status(id_) == "Ready"
    clock.time += 60
    assert await trainee.status(id_) == "Task not found"
    assert (await trainee.ask("finetune_details", finetune_id=id_))[0] == 200
    assert await trainee.listed() == [{"finetune_id": id_}]


@pytest.mark.parametrize(
    ("dialect", "word", "name"),
    [("result", "Ready", "task_id"), ("bot", "SUCCESS", "task_id"), ("skills", "Ready", "id")],
)
async def test_a_training_calls_back_in_three_dialects(
    open_server: Open, clock: Clock, dialect: Any, word: str, name: str
) -> None:
    heard: list[Any] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hear)
    server, trainee = await open_server()
    server.quirks.callback = dialect
    async with TestServer(app) as listener:
        id_ = await trainee.train(webhook_url=str(listener.make_url("/hook")), webhook_secret="shh")
        clock.time += TRAINING
        assert await server.deliver_callbacks() == 1
    assert (heard[0]["status"], heard[0][name]) == (word, id_)


async def test_trainings_and_finetunes_outlive_a_restart(open_server: Open, clock: Clock, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    _, trainee = await open_server(state=state)
    done, deleted = await trainee.train(), await trainee.train()
    clock.time += TRAINING
    await trainee.ask("delete_finetune", {"finetune_id": deleted})
    running = await trainee.train()

    server, trainee = await open_server(state=state)
    assert await trainee.listed() == [done]
    assert await trainee.status(running) == "Pending"
    clock.time += TRAINING
    assert await trainee.listed() == [done, running]
    assert server.credits == 10_000 - 3 * 400


async def draw_picture(trainee: Trainee, clock: Clock, name: str, **body: Any) -> Image.Image:
    status, ticket = await trainee.ask(name, {"prompt": "a cat", "seed": 3, **body})
    assert status == 200, ticket
    clock.time += 10
    sample = (await trainee.ask("get_result", id=ticket["id"]))[1]["result"]["sample"]
    async with trainee.session.get(URL(sample, encoded=True)) as answer:
        return Image.open(BytesIO(await answer.read())).convert("RGB")


@pytest.mark.parametrize(
    "name",
    [
        "flux-pro-1.1-ultra-finetuned",
        "flux-pro-finetuned",
        "flux-pro-1.0-depth-finetuned",
        "flux-pro-1.0-canny-finetuned",
        "flux-pro-1.0-fill-finetuned",
    ],
)
async def test_a_finetune_can_be_seen_the_more_the_stronger_it_is(open_server: Open, clock: Clock, name: str) -> None:
    _, trainee = await open_server(picture_size=256)
    id_ = await trainee.train(file_data=pack_files({"1.jpg": photograph("red"), "2.jpg": photograph("#ff4020")}))
    clock.time += TRAINING
    control = {"control_image": base64.b64encode(photograph("grey")).decode()}
    white = {field: base64.b64encode(photograph("white")).decode() for field in ("image", "mask")}
    extra = control if "depth" in name or "canny" in name else white if "fill" in name else {}

    redness: list[float] = []
    for strength in (0, 1, 2):
        image = await draw_picture(trainee, clock, name, finetune_id=id_, finetune_strength=strength, **extra)
        red, green, blue = ImageStat.Stat(image).mean
        redness.append(red - (green + blue) / 2)
    assert redness[0] + 20 < redness[1] < redness[2] - 20


async def test_what_is_kept_of_a_picture_that_is_filled_keeps_its_colours(open_server: Open, clock: Clock) -> None:
    _, trainee = await open_server(picture_size=256)
    id_ = await trainee.train(file_data=pack_files({"1.jpg": photograph("red")}))
    clock.time += TRAINING
    files = {"image": photograph("blue"), "mask": photograph("black")}
    sent = {field: base64.b64encode(content).decode() for field, content in files.items()}
    image = await draw_picture(
        trainee, clock, "flux-pro-1.0-fill-finetuned", finetune_id=id_, finetune_strength=2, **sent
    )
    red, _, blue = ImageStat.Stat(image).mean
    assert red < 10
    assert blue > 240


def test_the_requests_are_those_of_the_published_specification() -> None:
    file = SPECS / "bfl-2025-02.openapi.json"
    if not file.exists():
        pytest.skip(f"the published specification {file.name} is not at hand")
    schemas = json.loads(file.read_text())["components"]["schemas"]
    for model in (FinetuneInputs, DeleteFinetuneInputs):
        theirs, ours = schemas[model.__name__], model.model_json_schema()
        assert _plain(ours["properties"]) == _plain(theirs["properties"])
        assert set(ours["required"]) == set(theirs["required"])


def _plain(schema: Any) -> Any:
    """A schema without words."""
    if isinstance(schema, list):
        return [_plain(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _plain(value)
        for name, value in cast("dict[str, Any]", schema).items()
        if not (name in {"title", "description", "example"} and isinstance(value, str))
        and (name, value) != ("default", None)
    }
