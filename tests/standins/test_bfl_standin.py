"""The stand-in of Black Forest Labs behaves as the service is documented, and as it has been seen to."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image, ImageChops, ImageStat
from yarl import URL

from standins.base.faults import (
    Fault,
    answers,
    corrupts,
    floods,
    hangs_up,
    html,
    loses_the_answer,
    malformed,
    redirects,
    rewrites,
    truncates,
    waits,
)
from standins.bfl import BflServer, Quirks, Task, catalogue, giant_refusal
from tests import SPECS
from tests.scenes.clock import Clock

KEY = {"x-key": "sandbox-key"}


class Caller:
    """Somebody with an HTTP client and no manners: no retries, nothing followed, nothing hidden."""

    def __init__(self, session: aiohttp.ClientSession, origin: URL) -> None:
        self.session = session
        self.origin = origin

    async def post(self, name: str, body: Any, headers: dict[str, str] = KEY) -> tuple[int, Any]:
        async with self.session.post(self.origin / "v1" / name, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def submit(self, name: str = "flux-dev", **body: Any) -> dict[str, Any]:
        status, answer = await self.post(name, {"prompt": "a cat", **body})
        assert status == 200, answer
        return answer

    async def get(self, url: str | URL, headers: dict[str, str] | None = None) -> Any:
        async with self.session.get(url, headers=headers) as answer:
            return await answer.json()

    async def poll(self, ticket: dict[str, Any]) -> dict[str, Any]:
        return await self.get(self.origin / "v1/get_result" % {"id": ticket["id"]})

    async def fetch(self, url: str) -> tuple[int, str, bytes]:
        async with self.session.get(URL(url, encoded=True)) as answer:
            return answer.status, answer.content_type, await answer.read()

    async def picture(self, polled: dict[str, Any]) -> Image.Image:
        status, _, content = await self.fetch(polled["result"]["sample"])
        assert status == 200
        return open_picture(content)


Open = Callable[..., Coroutine[Any, Any, tuple[BflServer, Caller]]]


@pytest.fixture
def clock() -> Clock:
    return Clock(1_775_000_000.25)


@pytest.fixture
async def open_server(clock: Clock) -> AsyncGenerator[Open]:
    """Open a stand-in with these switches, on a port of its own."""
    async with aiohttp.ClientSession() as session:
        served: list[TestServer] = []

        async def open_(
            *, region: Any = None, server: BflServer | None = None, **options: Any
        ) -> tuple[BflServer, Caller]:
            switches: dict[str, Any] = {"clock": clock, "duration": 10.0, "picture_size": 64, **options}
            bfl = server or BflServer(**switches)
            test_server = TestServer(bfl.app(region))
            await test_server.start_server()
            served.append(test_server)
            return bfl, Caller(session, test_server.make_url("/"))

        yield open_
        for test_server in served:
            await test_server.close()


@pytest.fixture
async def bfl(open_server: Open) -> tuple[BflServer, Caller]:
    return await open_server()


def picture_file(colour: str = "teal", size: tuple[int, int] = (96, 64), mode: str = "RGB", kind: str = "PNG") -> str:
    file = BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def open_picture(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def problems(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem["type"], problem["loc"][-1]) for problem in answer["detail"]]


# A generation, from submit to picture


async def test_a_picture_is_ready_when_its_time_has_come_and_not_before(
    bfl: tuple[BflServer, Caller], clock: Clock
) -> None:
    server, caller = bfl
    ticket = await caller.submit(seed=7)

    clock.time += 9.9
    assert (await caller.get(ticket["polling_url"]))["status"] == "Pending"

    clock.time += 0.1
    polled = await caller.get(ticket["polling_url"])  # nobody asks for a key here
    assert polled["status"] == "Ready"
    assert polled["result"] == {
        "sample": polled["result"]["sample"],
        "prompt": "a cat",
        "seed": 7,
        "start_time": clock.time - 10,
        "end_time": clock.time,
        "duration": 10.0,
    }
    assert (await caller.picture(polled)).size == (64, 48)
    [task] = server.tasks
    assert (task.id, task.endpoint, task.status, task.polls, task.key) == (
        ticket["id"],
        "flux-dev",
        "Ready",
        2,
        "sandbox-key",
    )


@pytest.mark.parametrize("name", [endpoint.name for endpoint in catalogue.ENDPOINTS])
async def test_every_endpoint_makes_a_picture(open_server: Open, clock: Clock, name: str) -> None:
    server, caller = await open_server(region="us1")
    server.finetunes["mine"] = "us1"
    fields = server.endpoints[name].inputs.model_fields
    wanted = {"finetune_id": "mine", "image": picture_file(mode="RGBA"), "control_image": picture_file(), "top": 32}

    ticket = await caller.submit(name, **{field: value for field, value in wanted.items() if field in fields})
    clock.time += 10
    polled = await caller.poll(ticket)

    assert polled["status"] == "Ready", polled
    assert max((await caller.picture(polled)).size) == 64


async def test_the_same_request_and_seed_give_the_same_bytes_and_others_do_not(open_server: Open, clock: Clock) -> None:
    _, caller = await open_server(picture_size=256)

    async def drawn(**body: Any) -> bytes:
        ticket = await caller.submit(**body)
        clock.time += 10
        return (await caller.fetch((await caller.poll(ticket))["result"]["sample"]))[2]

    first = await drawn(seed=1)
    assert await drawn(seed=1) == first
    assert await drawn(seed=2) != first
    assert await drawn(seed=1, prompt="a dog") != first


@pytest.mark.parametrize(
    ("name", "body", "size", "kind"),
    [
        ("flux-pro-1.1", {"width": 512, "height": 256, "output_format": "png"}, (512, 256), "PNG"),
        ("flux-pro-1.1-ultra", {"aspect_ratio": "9:16"}, (962, 1714), "JPEG"),
        ("flux-kontext-pro", {"aspect_ratio": "3:7", "output_format": "webp"}, (672, 1568), "WEBP"),
        ("flux-kontext-pro", {"input_image": picture_file(size=(400, 200))}, (1456, 720), "PNG"),
        ("flux-pro-1.0-fill", {"image": picture_file(), "mask": picture_file("white", mode="L")}, (96, 64), "JPEG"),
        ("flux-pro-1.0-expand", {"image": picture_file(), "left": 16, "bottom": 36}, (112, 100), "JPEG"),
        ("flux-2-pro", {"width": 80, "height": 64}, (80, 64), "JPEG"),
        ("flux-2-pro", {"input_image": "https://example.org/cat.png"}, (1024, 1024), "JPEG"),
    ],
)
async def test_a_picture_has_the_size_and_format_that_were_asked_for(
    open_server: Open, clock: Clock, name: str, body: dict[str, Any], size: tuple[int, int], kind: str
) -> None:
    _, caller = await open_server(picture_size=None)
    ticket = await caller.submit(name, **body)
    clock.time += 10
    polled = await caller.poll(ticket)
    status, content_type, content = await caller.fetch(polled["result"]["sample"])

    image = open_picture(content)
    assert (status, content_type) == (200, f"image/{kind.lower()}")
    assert (image.size, image.format) == (size, kind)


async def test_an_edit_can_be_seen_to_come_from_its_picture(open_server: Open, clock: Clock) -> None:
    _, caller = await open_server(picture_size=400)
    half = Image.new("RGB", (400, 400), "white")
    half.paste((10, 10, 10), (0, 0, 200, 400))
    file = BytesIO()
    half.save(file, "PNG")
    source = base64.b64encode(file.getvalue()).decode()

    async def edited(prompt: str) -> Image.Image:
        ticket = await caller.submit("flux-kontext-pro", prompt=prompt, input_image=source, seed=3)
        clock.time += 10
        return (await caller.picture(await caller.poll(ticket))).convert("RGB")

    red, blue = await edited("make it red"), await edited("make it blue")
    for image in (red, blue):
        left, right = (
            ImageStat.Stat(image.convert("L").crop(box)).mean[0] for box in ((0, 0, 200, 400), (200, 0, 400, 400))
        )
        assert right - left > 60
    assert ImageStat.Stat(red).mean[0] > ImageStat.Stat(blue).mean[0]
    assert ImageStat.Stat(blue).mean[2] > ImageStat.Stat(red).mean[2]


async def test_a_fill_changes_what_is_white_in_the_mask_and_nothing_else(open_server: Open, clock: Clock) -> None:
    _, caller = await open_server(picture_size=400)
    mask = Image.new("L", (400, 400))
    mask.paste(255, (0, 0, 200, 400))
    file = BytesIO()
    mask.save(file, "PNG")
    ticket = await caller.submit(
        "flux-pro-1.0-fill",
        image=picture_file("teal", (400, 400)),
        mask=base64.b64encode(file.getvalue()).decode(),
        output_format="png",
        seed=5,
    )
    clock.time += 10
    made = (await caller.picture(await caller.poll(ticket))).convert("RGB")
    changed = ImageChops.difference(made, Image.new("RGB", (400, 400), "teal"))

    assert changed.crop((220, 0, 400, 400)).getbbox() is None
    assert changed.crop((0, 0, 180, 400)).getbbox() == (0, 0, 180, 400)


async def test_a_drawing_is_quick_and_a_small_one_takes_no_time(open_server: Open, clock: Clock) -> None:
    server, caller = await open_server()
    for longest_side, limit in ((64, 0.05), (None, 1.5)):  # seconds; of a busy machine
        server.picture_size = longest_side
        ticket = await caller.submit("flux-pro-1.1-ultra", prompt="a robot in a city")
        clock.time += 10
        polled = await caller.poll(ticket)
        started = time.perf_counter()
        await caller.picture(polled)
        assert time.perf_counter() - started < limit


def _by_seed(task: Task) -> float:
    return 60 + task.seed


async def test_models_take_their_usual_time_unless_told(open_server: Open) -> None:
    server, caller = await open_server(duration=None)
    slow, _ = await open_server(duration=_by_seed)
    for name in ("flux-pro-1.1-ultra", "flux-2-klein-4b"):
        await caller.submit(name)
    ultra, klein = server.tasks
    assert 7 < ultra.duration < 28
    assert 1 < klein.duration < 5

    _, caller = await open_server(server=slow)
    await caller.submit(seed=5)
    assert [task.duration for task in slow.tasks] == [65]


# What it accepts


@pytest.mark.parametrize(("year", "era"), [("2025-02", 2025), ("2026-04", 2026)])
def test_requests_are_those_of_the_published_specification(year: str, era: Any) -> None:
    file = SPECS / f"bfl-{year}.openapi.json"
    if not file.exists():
        pytest.skip(f"the published specification {file.name} is not at hand")
    spec = json.loads(file.read_text())
    schemas = spec["components"]["schemas"]
    offered = catalogue.endpoints(era)
    compared = 0
    for path, methods in spec["paths"].items():
        if "post" not in methods or not path.startswith("/v1/flux"):
            continue
        reference = methods["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        theirs = schemas[reference.rpartition("/")[2]]
        ours = offered[path.removeprefix("/v1/")].inputs.model_json_schema()
        assert _plain(ours["properties"], ours) == _plain(theirs["properties"], spec), path
        assert set(ours.get("required", [])) == set(theirs.get("required", [])), path
        compared += 1
    assert compared == {2025: 12, 2026: 16}[era]


def _plain(schema: Any, document: dict[str, Any]) -> Any:
    """A schema without words, with its references resolved."""
    if isinstance(schema, list):
        return [_plain(item, document) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("dict[str, Any]", schema)
    if "$ref" in fields:
        target: Any = document
        for part in fields["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _plain({**target, **{name: fields[name] for name in fields if name != "$ref"}}, document)
    words = {"title", "description", "example"}
    return {
        name: _plain(value, document)
        for name, value in fields.items()
        if name not in words and (name, value) != ("default", None)
    }


@pytest.mark.parametrize(
    ("name", "body", "problem"),
    [
        ("flux-dev", {"width": 1000}, ("multiple_of", "width")),
        ("flux-dev", {"height": 1472}, ("less_than_equal", "height")),
        ("flux-dev", {"steps": "many"}, ("int_parsing", "steps")),
        ("flux-pro", {"output_format": "webp"}, ("enum", "output_format")),
        ("flux-2-pro", {"safety_tolerance": 6}, ("less_than_equal", "safety_tolerance")),
        ("flux-2-pro", {"width": 0}, ("greater_than_equal", "width")),
        ("flux-dev", {"webhook_url": "ftp://example.org"}, ("url_scheme", "webhook_url")),
        ("flux-pro-finetuned", {"finetune_id": "x", "seed": None}, ("int_type", "seed")),
        ("flux-pro-1.0-canny-finetuned", {"finetune_id": "x"}, ("missing", "control_image")),
        ("flux-pro-1.1-ultra", {"aspect_ratio": "22:9"}, ("value_error", "aspect_ratio")),
        ("flux-kontext-pro", {"aspect_ratio": "wide"}, ("value_error", "aspect_ratio")),
        ("flux-kontext-pro", {"input_image": "not base64!"}, ("value_error", "input_image")),
        ("flux-kontext-pro", {"input_image": "AAAA"}, ("value_error", "input_image")),
        (
            "flux-kontext-pro",
            {"input_image": f"data:image/png;base64,{picture_file()}"},
            ("value_error", "input_image"),
        ),
        ("flux-pro-1.1", {"image_prompt": "https://example.org/cat.png"}, ("value_error", "image_prompt")),
        ("flux-pro-1.0-fill", {"image": picture_file()}, ("value_error", "mask")),
        ("flux-pro-1.0-fill", {"image": picture_file(), "mask": picture_file(size=(96, 65))}, ("value_error", "mask")),
        ("flux-pro-1.0-expand", {"image": picture_file()}, ("value_error", "top")),
        ("flux-pro-1.0-depth", {}, ("value_error", "control_image")),
    ],
)
async def test_a_request_that_breaks_a_rule_is_refused_by_name(
    bfl: tuple[BflServer, Caller], name: str, body: dict[str, Any], problem: tuple[str, str]
) -> None:
    server, caller = bfl
    status, answer = await caller.post(name, {"prompt": "a cat", **body})

    assert (status, problems(answer)) == (422, [problem])
    assert answer["detail"][0]["url"] == f"https://errors.pydantic.dev/2.10/v/{problem[0]}"
    assert server.tasks == []


async def test_a_refusal_echoes_the_whole_request(bfl: tuple[BflServer, Caller]) -> None:
    _, caller = bfl
    image = "A" * 900_001
    _, answer = await caller.post("flux-pro-1.0-fill", {"image": image, "steps": 20})

    [problem] = answer["detail"]
    assert problem["input"] == {"image": image, "steps": 20}
    assert problem["ctx"] == {}


async def test_fields_that_nobody_knows_are_ignored(bfl: tuple[BflServer, Caller]) -> None:
    server, caller = bfl
    await caller.submit("flux-kontext-pro", width=5, height=True)
    assert "width" not in server.tasks[0].body


async def test_what_is_not_json_is_refused_as_fastapi_does(bfl: tuple[BflServer, Caller]) -> None:
    _, caller = bfl
    answers: list[tuple[int, str]] = []
    for body in (b"", b'{"prompt": "a cat",}', b"[]"):
        headers = {**KEY, "Content-Type": "application/json"}
        async with caller.session.post(caller.origin / "v1/flux-dev", data=body, headers=headers) as answer:
            answers.append((answer.status, (await answer.json())["detail"][0]["type"]))
    assert answers == [(422, "missing"), (422, "json_invalid"), (422, "model_type")]


async def test_pictures_are_not_kept_in_the_records(bfl: tuple[BflServer, Caller]) -> None:
    server, caller = bfl
    source = picture_file()
    await caller.submit("flux-kontext-max", input_image=source)
    digest = sha256(base64.b64decode(source)).hexdigest()
    assert server.tasks[0].body["input_image"] == f"sha256:{digest}"


# Keys, money, limits


async def test_a_key_is_wanted_and_must_be_known(bfl: tuple[BflServer, Caller]) -> None:
    server, caller = bfl
    assert await caller.post("flux-dev", {"width": 1}, headers={}) == (403, {"detail": "Not authenticated"})
    wrong = await caller.post("flux-dev", {"width": 1}, headers={"X-Key": "stolen"})
    assert wrong == (403, {"detail": "Not authenticated - Invalid Authentication"})
    assert [request.key for request in server.requests] == [None, "stolen"]


async def test_only_a_picture_that_was_made_costs_anything(open_server: Open, clock: Clock) -> None:
    _, caller = await open_server(credits=10)

    async def credits_left() -> float:
        return (await caller.get(caller.origin / "v1/credits", headers=KEY))["credits"]

    await caller.submit("flux-pro-1.1", prompt="a cat")
    await caller.submit("flux-pro-1.1", prompt="gore")
    assert await credits_left() == 10
    status, answer = await caller.post("flux-pro-1.1", {})  # the rest is spoken for
    assert (status, answer["detail"].split(".")[0]) == (402, "Insufficient credits")

    clock.time += 10
    assert await credits_left() == 6
    await caller.submit("flux-pro-1.1")


@pytest.mark.parametrize(
    ("name", "body", "paid"),
    [
        ("flux-pro-1.1-ultra", {}, (6, 0, 4.01)),
        ("flux-dev", {}, (2.5, 0, 0.75)),
        ("flux-kontext-max", {"input_image": picture_file(size=(1000, 500))}, (8, 0.48, 1)),
        ("flux-2-pro", {"width": 1024, "height": 1024}, (3, 0, 1)),
        (
            "flux-2-pro",
            {"width": 1000, "height": 1000, "input_image": picture_file(size=(1000, 1000))},
            (4.5, 0.95, 0.95),
        ),
    ],
)
async def test_an_answer_says_what_it_will_cost(
    bfl: tuple[BflServer, Caller], name: str, body: dict[str, Any], paid: tuple[float, float, float]
) -> None:
    server, caller = bfl
    ticket = await caller.submit(name, **body)
    assert (ticket["cost"], ticket["input_mp"], ticket["output_mp"]) == paid

    server.quirks.costs = False
    assert (await caller.submit(name, **body)).keys() == {"id", "polling_url"}


async def test_the_25th_task_waits_until_one_has_ended(bfl: tuple[BflServer, Caller], clock: Clock) -> None:
    server, caller = bfl
    await caller.submit()
    clock.time += 1
    for _ in range(23):
        await caller.submit()
    async with caller.session.post(caller.origin / "v1/flux-dev", json={}, headers=KEY) as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (429, None)
    server.quirks.retry_after = 7
    async with caller.session.post(caller.origin / "v1/flux-dev", json={}, headers=KEY) as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (429, "7")

    clock.time += 9
    await caller.submit()
    assert (server.active, server.peak_active, len(server.tasks)) == (24, 24, 25)


async def test_kontext_max_has_six_slots_of_its_own(bfl: tuple[BflServer, Caller]) -> None:
    _, caller = bfl
    for _ in range(6):
        await caller.submit("flux-kontext-max")
    assert (await caller.post("flux-kontext-max", {"prompt": "a cat"}))[0] == 429
    await caller.submit("flux-kontext-pro")


# What it says while one waits, and at the end


@pytest.mark.parametrize(
    ("prompt", "status", "reasons"),
    [
        ("a nude in oil", "Request Moderated", ["Sexual Content"]),
        ("gore", "Content Moderated", ["Violence"]),
        ("a nudibranch in Gorey", "Ready", None),
    ],
)
async def test_some_words_are_moderated_with_a_reason(
    open_server: Open, clock: Clock, prompt: str, status: str, reasons: list[str] | None
) -> None:
    _, caller = await open_server(duration=None)
    ticket = await caller.submit(prompt=prompt)
    clock.time += 1
    soon = (await caller.poll(ticket))["status"]
    clock.time += 20
    polled = await caller.poll(ticket)

    assert polled["status"] == status
    assert polled["details"] == (reasons and {"Moderation Reasons": reasons})
    assert (polled["result"] is None) is (status != "Ready")
    assert soon == ("Request Moderated" if status == "Request Moderated" else "Pending")


async def test_an_unknown_id_is_a_status_and_not_an_error(bfl: tuple[BflServer, Caller]) -> None:
    _, caller = bfl
    polled = await caller.poll({"id": "nobody"})
    assert polled == dict.fromkeys(polled, None) | {"id": "nobody", "status": "Task not found"}
    async with caller.session.get(caller.origin / "v1/get_result") as answer:
        assert (answer.status, problems(await answer.json())) == (422, [("missing", "id")])


async def test_a_new_task_may_be_unknown_at_first_and_an_old_one_is_forgotten(
    bfl: tuple[BflServer, Caller], clock: Clock
) -> None:
    server, caller = bfl
    server.quirks.appears_after = 3
    ticket = await caller.submit()
    seen: list[str] = []
    for seconds in (0, 3, 7, 86_400):
        clock.time += seconds
        seen.append((await caller.poll(ticket))["status"])
    assert seen == ["Task not found", "Pending", "Ready", "Task not found"]


async def test_an_id_given_twice_is_one_id(bfl: tuple[BflServer, Caller]) -> None:
    _, caller = bfl
    ticket = await caller.submit()
    assert (await caller.get(f"{ticket['polling_url']}&id={ticket['id']}"))["status"] == "Pending"


async def test_progress_and_words_come_in_several_kinds(open_server: Open, clock: Clock) -> None:
    server, caller = await open_server(quirks=Quirks(newer_words=True))
    ticket = await caller.submit()
    seen: list[tuple[str, float | None]] = []
    for progress in ("null", "fraction", "percent"):
        clock.time += 1
        server.quirks.progress = progress
        polled = await caller.poll(ticket)
        seen.append((polled["status"], polled["progress"]))
    assert seen == [("Reasoning", None), ("Generating", 0.2), ("Generating", 30)]


async def test_a_result_may_hold_a_picture_and_a_prompt_and_no_more(
    bfl: tuple[BflServer, Caller], clock: Clock
) -> None:
    server, caller = bfl
    server.quirks.minimal_result = True
    ticket = await caller.submit()
    clock.time += 10
    assert (await caller.poll(ticket))["result"].keys() == {"sample", "prompt"}


async def test_a_task_can_be_made_to_fail(bfl: tuple[BflServer, Caller], clock: Clock) -> None:
    server, caller = bfl
    ticket = await caller.submit()
    server.end(server.tasks[0], "Error", after=2)
    clock.time += 2
    assert (await caller.poll(ticket))["status"] == "Error"
    assert (server.active, server.credits) == (0, 10_000)


# Links


async def test_a_link_dies_after_ten_minutes(bfl: tuple[BflServer, Caller], clock: Clock) -> None:
    _, caller = bfl
    ticket = await caller.submit()
    clock.time += 10
    link = (await caller.poll(ticket))["result"]["sample"]
    assert {"se", "sp", "sv", "sr", "rsct", "sig"} == URL(link).query.keys()

    clock.time += 599
    assert (await caller.fetch(link))[0] == 200
    clock.time += 2
    assert (await caller.poll(ticket))["result"]["sample"] == link  # asking again does not help
    status, content_type, content = await caller.fetch(link)
    assert (status, content_type) == (403, "application/xml")
    assert b"<Code>AuthenticationFailed</Code>" in content


async def test_a_forged_link_opens_nothing(bfl: tuple[BflServer, Caller], clock: Clock) -> None:
    _, caller = bfl
    ticket = await caller.submit()
    clock.time += 10
    link = URL((await caller.poll(ticket))["result"]["sample"])
    for forged in (link.update_query(se="2099-01-01T00:00:00Z"), link.update_query(sig="é"), link.with_query(None)):
        assert (await caller.fetch(str(forged)))[0] == 403


async def test_results_and_pictures_may_live_on_other_hosts(open_server: Open, clock: Clock) -> None:
    server, caller = await open_server()
    _, cluster = await open_server(server=server)
    _, delivery = await open_server(server=server)
    server.polling_origin = str(cluster.origin.origin())
    server.delivery_origin = str(delivery.origin.origin())

    ticket = await caller.submit()
    clock.time += 10

    assert URL(ticket["polling_url"]).origin() == cluster.origin.origin()
    assert (await caller.poll(ticket))["status"] == "Task not found"  # another cluster may answer here
    polled = await cluster.poll(ticket)
    assert URL(polled["result"]["sample"]).origin() == delivery.origin.origin()
    await delivery.picture(polled)
    assert server.requests[-1].host == delivery.origin.authority

    _, single = await open_server(server=server, region="us1")
    assert (await single.poll(ticket))["status"] == "Ready"  # a single cluster knows its own


# Regions and years


@pytest.mark.parametrize(("region", "expected"), [("us1", 200), ("eu1", 404), ("global", 404), ("us", 404)])
async def test_a_finetune_works_only_where_it_was_trained(open_server: Open, region: str, expected: int) -> None:
    server, caller = await open_server(region=region)
    server.finetunes["mine"] = "us1"
    status, answer = await caller.post("flux-pro-finetuned", {"finetune_id": "mine"})
    assert status == expected
    assert expected == 200 or answer == {"detail": "Finetune not found or not ready"}


async def test_each_year_offers_its_own(open_server: Open) -> None:
    _, then = await open_server(era=2025)
    _, now = await open_server(era=2026)

    assert await now.post("flux-pro", {}) == (404, {"detail": "Not Found"})
    assert await then.post("flux-2-pro", {"prompt": "a cat"}) == (404, {"detail": "Not Found"})
    assert (await then.post("flux-dev", {"output_format": "webp"}))[0] == 422
    assert await then.get(then.origin / "v1/credits", headers=KEY) == {"detail": "Not Found"}
    old = await then.submit("flux-kontext-pro")
    assert old.keys() == {"id", "polling_url"}
    assert (await then.poll(old)).keys() == {"id", "status", "result", "progress", "details"}
    assert "preview" in await now.poll(await now.submit())


async def test_a_wrong_method_is_refused(bfl: tuple[BflServer, Caller]) -> None:
    _, caller = bfl
    assert await caller.get(caller.origin / "v1/flux-dev") == {"detail": "Method Not Allowed"}


# Callbacks


@pytest.fixture
async def listener() -> AsyncGenerator[tuple[str, list[tuple[Any, Any]], list[int]]]:
    """Somewhere to be called back at: its address, what came, and the statuses to answer with first."""
    heard: list[tuple[Any, Any]] = []
    statuses: list[int] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append((request.headers, await request.read()))
        return web.Response(status=statuses.pop(0) if statuses else 200)

    app = web.Application()
    app.router.add_post("/hook", hear)
    async with TestServer(app) as server:
        yield str(server.make_url("/hook")), heard, statuses


async def test_with_a_webhook_there_is_no_polling_url_and_a_call_when_it_is_ready(
    bfl: tuple[BflServer, Caller], clock: Clock, listener: Any
) -> None:
    server, caller = bfl
    hook, heard, _ = listener
    ticket = await caller.submit(webhook_url=hook, webhook_secret="shh")
    assert ticket.keys() == {"id", "status", "webhook_url", "cost", "input_mp", "output_mp"}

    assert await server.deliver_callbacks() == 0
    clock.time += 10
    assert await server.deliver_callbacks(str(caller.origin.origin())) == 1
    assert await server.deliver_callbacks() == 0

    [(headers, body)] = heard
    assert headers["X-Webhook-Secret"] == "shh"
    assert json.loads(body) == {**await caller.poll(ticket), "task_id": ticket["id"]}


async def test_callbacks_come_in_two_other_dialects(bfl: tuple[BflServer, Caller], clock: Clock, listener: Any) -> None:
    server, caller = bfl
    hook, heard, _ = listener
    for dialect in ("bot", "skills"):
        server.quirks.callback = dialect
        await caller.submit(webhook_url=hook, webhook_secret="shh")
        clock.time += 10
        await server.deliver_callbacks()

    (_, bot), (headers, skills) = heard
    assert json.loads(bot)["status"] == "SUCCESS"
    assert json.loads(skills).keys() == {"id", "status", "result", "timestamp"}
    assert headers["X-BFL-Signature"] == f"sha256={hmac.digest(b'shh', skills, sha256).hex()}"


async def test_a_callback_is_tried_again_and_may_come_twice_late_or_never(
    bfl: tuple[BflServer, Caller], clock: Clock, listener: Any
) -> None:
    server, caller = bfl
    hook, heard, statuses = listener
    statuses.append(503)
    await caller.submit(webhook_url=hook)
    clock.time += 10
    assert [await server.deliver_callbacks(), await server.deliver_callbacks()] == [0, 0]
    assert len(heard) == 1
    clock.time += 1
    assert await server.deliver_callbacks() == 1

    counts: list[int] = []
    for how in ("twice", "lost"):
        server.quirks.callbacks = how
        await caller.submit(webhook_url=hook)
        clock.time += 10
        counts.append(await server.deliver_callbacks())
    assert (counts, len(heard)) == ([2, 0], 4)

    server.quirks.callbacks = "reversed"
    first = await caller.submit(webhook_url=hook)
    clock.time += 1
    second = await caller.submit(webhook_url=hook)
    clock.time += 10
    await server.deliver_callbacks()
    assert [json.loads(body)["id"] for _, body in heard[-2:]] == [second["id"], first["id"]]


# Restarts


async def test_a_running_task_goes_on_after_a_restart(open_server: Open, clock: Clock, tmp_path: Path) -> None:
    state = tmp_path / "bfl" / "state.sqlite3"
    _, caller = await open_server(state=state, credits=100, picture_size=200)
    body = {"prompt": "make it blue", "input_image": picture_file("orange", (200, 200)), "seed": 4}
    done = await caller.submit("flux-kontext-pro", **body)
    clock.time += 10
    link = (await caller.poll(done))["result"]["sample"]
    before = (await caller.fetch(link))[2]
    running = await caller.submit("flux-kontext-pro", **body)
    clock.time += 4

    server, again = await open_server(state=state, credits=100, picture_size=200)
    assert (server.active, server.credits) == (1, 96)
    assert (await again.poll(running))["status"] == "Pending"
    clock.time += 6
    polled = await again.poll(running)
    assert (polled["status"], server.credits) == ("Ready", 92)
    assert (await again.fetch(polled["result"]["sample"]))[2] == before
    assert (await again.fetch(str(URL(link).with_port(again.origin.port))))[2] == before


# Faults


@pytest.mark.parametrize(
    ("trouble", "status", "content_type"),
    [
        (answers(429, retry_after=60), 429, "application/json"),
        (answers(500), 500, "text/plain"),
        (answers(502), 502, "text/html"),
        (answers(503), 503, "text/html"),
        (answers(504), 504, "text/html"),
        (answers(404, {"detail": "Not Found"}), 404, "application/json"),
        (html(), 200, "text/html"),
        (redirects("http://evil.example/v1/flux-dev"), 307, "application/octet-stream"),
    ],
)
async def test_a_fault_answers_in_place_of_the_service_once(
    bfl: tuple[BflServer, Caller], trouble: Any, status: int, content_type: str
) -> None:
    server, caller = bfl
    server.faults.append(Fault("submit", trouble))
    url = caller.origin / "v1/flux-dev"
    async with caller.session.post(url, json={}, headers=KEY, allow_redirects=False) as answer:
        assert (answer.status, answer.content_type) == (status, content_type)
        if status == 429:
            assert answer.headers["Retry-After"] == "60"
    assert server.tasks == []
    await caller.submit()
    assert server.faults == []


async def test_a_fault_befalls_its_own_kind_and_as_often_as_told(bfl: tuple[BflServer, Caller]) -> None:
    server, caller = bfl
    server.faults += [Fault("poll", rewrites(status="Error"), times=2), Fault("submit", hangs_up(), path="ultra")]
    ticket = await caller.submit()
    assert [(await caller.poll(ticket))["status"] for _ in range(3)] == ["Error", "Error", "Pending"]
    assert len(server.faults) == 1


@pytest.mark.parametrize(("trouble", "accepted"), [(hangs_up(), 0), (loses_the_answer(), 1)])
async def test_a_connection_may_break_before_the_task_exists_or_after(
    bfl: tuple[BflServer, Caller], trouble: Any, accepted: int
) -> None:
    server, caller = bfl
    server.faults.append(Fault("submit", trouble))
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.submit()
    assert len(server.tasks) == accepted


async def test_an_answer_may_take_its_time(bfl: tuple[BflServer, Caller]) -> None:
    server, caller = bfl
    accepted, gate = asyncio.Event(), asyncio.Event()

    async def until() -> None:
        accepted.set()
        await gate.wait()

    server.faults.append(Fault("submit", waits(until)))
    answer = asyncio.create_task(caller.submit())
    await accepted.wait()
    assert len(server.tasks) == 1
    assert not answer.done()
    gate.set()
    assert (await answer)["id"] == server.tasks[0].id


async def test_json_may_break_off_and_a_refusal_may_be_huge(bfl: tuple[BflServer, Caller]) -> None:
    server, caller = bfl
    server.faults += [Fault("submit", malformed()), Fault("submit", giant_refusal(5_000_000))]
    with pytest.raises(json.JSONDecodeError):
        await caller.submit()
    status, answer = await caller.post("flux-dev", {})
    assert (status, len(answer["detail"][0]["input"]["image"])) == (422, 5_000_000)


async def test_a_polling_url_may_be_hostile_or_missing_and_a_task_may_be_lost(
    bfl: tuple[BflServer, Caller], clock: Clock
) -> None:
    server, caller = bfl
    server.faults += [Fault("submit", rewrites(polling_url="http://evil.example/v1/get_result?id=1"))]
    assert (await caller.submit())["polling_url"].startswith("http://evil.example/")
    server.faults += [Fault("submit", rewrites(polling_url=...))]
    ticket = await caller.submit()
    assert "polling_url" not in ticket

    clock.time += 10
    server.faults += [Fault("poll", rewrites(status="Task not found", result=None))]
    assert [(await caller.poll(ticket))["status"] for _ in range(2)] == ["Task not found", "Ready"]


async def test_a_picture_may_arrive_torn_spoilt_endless_or_as_a_page(
    bfl: tuple[BflServer, Caller], clock: Clock
) -> None:
    server, caller = bfl
    server.picture_size = 256
    ticket = await caller.submit(seed=1)
    clock.time += 10
    link = (await caller.poll(ticket))["result"]["sample"]

    server.faults.append(Fault("sample", truncates()))
    with pytest.raises(aiohttp.ClientPayloadError):
        await caller.fetch(link)

    server.faults.append(Fault("sample", corrupts()))
    _, _, content = await caller.fetch(link)
    with pytest.raises(OSError, match=r"truncated|broken data stream"):
        open_picture(content)

    for announced in (True, False):
        server.faults.append(Fault("sample", floods(3_000_000, announced=announced)))
        async with caller.session.get(URL(link, encoded=True)) as answer:
            assert answer.content_length == (3_000_000 if announced else None)
            assert len(await answer.read()) == 3_000_000

    server.faults.append(Fault("sample", html()))
    assert (await caller.fetch(link))[1] == "text/html"
    assert (await caller.fetch(link))[1] == "image/jpeg"


async def test_nobody_needs_a_key_for_a_picture_and_the_log_shows_who_sent_one(
    bfl: tuple[BflServer, Caller], clock: Clock
) -> None:
    server, caller = bfl
    ticket = await caller.submit()
    clock.time += 10
    await caller.picture(await caller.poll(ticket))
    assert [(request.kind, request.method, request.key) for request in server.requests] == [
        ("submit", "POST", "sandbox-key"),
        ("poll", "GET", None),
        ("sample", "GET", None),
    ]
