"""The client against answers that Astria, or something in between, has given or may give."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.http import client as http
from bot.http.client import Timeouts
from bot.providers import catalogue
from bot.providers.astria import client as astria
from bot.providers.astria.client import Astria
from bot.providers.astria.prompts import escape_syntax, lora_tag
from bot.providers.interface import Callback, FinetuneRef, Generation, MicroUSD, Status, Ticket
from bot.providers.parameters import Value
from bot.providers.training import (
    FinetuneSpec,
    Inspection,
    Pack,
    Started,
    TrainedSubject,
    TrainingPicture,
    TrainingProvider,
    TrainingSet,
    Withdrawn,
)

KEY = "sd_0123-very-secret"
NOW = 1_750_000_000.0  # 15 June 2025
REF = FinetuneRef(provider="astria", remote_id="123", trigger="ohwx man")
TICKET = Ticket(provider="astria", remote_id="77")
SPEC = FinetuneSpec(
    id="j1-0",
    name="Aunt Ada",
    trainer="astria",
    subject=TrainedSubject.CHARACTER,
    trigger="ohwx",
    class_name="woman",
    parameters={"steps": 400, "preset": "flux-lora-portrait", "face_crop": True},
)
PICTURES = TrainingSet(
    (TrainingPicture("0001.jpg", b"first", "ohwx woman, smiling"), TrainingPicture("0002.jpg", b"second")), b""
)
CALLBACK = Callback("https://bot.example/astria/abc", "never sent")


class Answers:
    """A server that gives one answer to everything, or one for each path, and remembers what it was asked."""

    def __init__(self, body: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.body = body
        self.status = status
        self.headers = headers
        self.asked: list[str] = []
        self.forms: list[list[tuple[str, str]]] = []
        self.keys: set[str | None] = set()
        self.origin = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.keys.add(request.headers.get("Authorization"))
        if request.method == "POST":
            assert request.content_type == "multipart/form-data"
            self.forms.append([(name, _read_field(value)) for name, value in (await request.post()).items()])
        body = self.body(request) if callable(self.body) else self.body
        if isinstance(body, str):
            return web.Response(text=body, status=self.status, headers=self.headers)
        return web.json_response(body, status=self.status, headers=self.headers)


def _read_field(value: str | bytearray | bytes | web.FileField) -> str:
    if isinstance(value, web.FileField):
        return f"{value.filename} {value.content_type} {value.file.read().decode()}"
    return str(value)


@contextlib.asynccontextmanager
async def account(answers: Answers, *, timeouts: Timeouts = http.DEFAULT_TIMEOUTS) -> AsyncGenerator[Astria]:
    """The client, with its account on a server that gives these answers."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers.answer)
    async with TestServer(app) as server, http.session() as session:
        answers.origin = str(server.make_url("/").origin())
        yield Astria(session, key=SecretStr(KEY), base=answers.origin, timeouts=timeouts, now=lambda: NOW)


def a_portrait(prompt: str = "ohwx man in the rain", **parameters: Value) -> Generation:
    return catalogue.check(Generation(model="astria-flux", prompt=prompt, parameters=parameters, finetune=REF))


async def generate(answers: Answers, generation: Generation | None = None) -> Ticket:
    async with account(answers) as client:
        return await client.generate(generation or a_portrait(), {})


async def create(answers: Answers, spec: FinetuneSpec = SPEC) -> Started:
    async with account(answers) as client:
        return await client.create_finetune(spec, PICTURES)


async def training(body: Any, *, status: int = 200) -> Any:
    async with account(Answers(body, status=status)) as client:
        return await client.finetune_status(REF)


async def look(body: Any, *, status: int = 200) -> Any:
    async with account(Answers(body, status=status)) as client:
        return await client.job_status(TICKET)


async def test_a_training_is_ordered_as_a_form_with_its_pictures_and_captions() -> None:
    answers = Answers({"id": 123, "cost_mc": 200_000}, status=201)
    async with account(answers) as client:
        assert isinstance(client, TrainingProvider)
        provider: TrainingProvider = client
        started = await provider.create_finetune(SPEC, PICTURES, CALLBACK)

    ref = FinetuneRef(provider="astria", remote_id="123", trigger="ohwx woman")
    assert started == Started(ref=ref, cost=MicroUSD(2_000_000))
    assert answers.asked == ["POST /tunes"]
    assert answers.keys == {f"Bearer {KEY}"}
    assert answers.forms == [
        [
            ("tune[title]", "Aunt Ada · j1-0"),
            ("tune[name]", "woman"),
            ("tune[token]", "ohwx"),
            ("tune[base_tune_id]", "1504944"),
            ("tune[model_type]", "lora"),
            ("tune[preset]", "flux-lora-portrait"),
            ("tune[steps]", "400"),
            ("tune[face_crop]", "true"),
            ("tune[callback]", CALLBACK.url),
            ("tune[images][]", "0001.jpg image/jpeg first"),
            ("tune[images][]", "0001.txt text/plain ohwx woman, smiling"),
            ("tune[images][]", "0002.jpg image/jpeg second"),
        ]
    ]


async def test_no_preset_is_said_by_leaving_it_out() -> None:
    answers = Answers({"id": 123})
    await create(answers, SPEC.model_copy(update={"parameters": {"preset": "none", "branch": "fast"}}))
    names = [name for name, _ in answers.forms[0]]
    assert "tune[preset]" not in names
    assert ("tune[branch]", "fast") in answers.forms[0]


async def test_a_pack_knows_by_itself_how_it_is_trained() -> None:
    answers = Answers({"id": 5, "token": "ohwx", "name": "woman"}, status=201)
    started = await create(answers, SPEC.model_copy(update={"pack": "260"}))
    assert started.ref.remote_id == "5"
    assert answers.asked == ["POST /p/260/tunes"]
    assert [name for name, _ in answers.forms[0]] == ["tune[title]", "tune[name]", *3 * ["tune[images][]"]]

    with pytest.raises(Refused, match="no such pack") as failed:
        await create(Answers({}, status=404), SPEC.model_copy(update={"pack": "260"}))
    assert not isinstance(failed.value, Withdrawn)
    answers = Answers({"id": 5})
    with pytest.raises(Refused, match="named by its number"):
        await create(answers, SPEC.model_copy(update={"pack": "../users"}))
    assert answers.asked == []


@pytest.mark.parametrize("cost", [None, "4", -1, True, [4]])
async def test_an_odd_detail_in_a_receipt_does_not_lose_the_order(cost: object) -> None:
    body: dict[str, Any] = {"id": 123, "cost_mc": cost, "title": 7, "orig_images": None, "eta": {}, "new": {}}
    assert (await create(Answers(body))).cost is None
    assert await generate(Answers(body)) == Ticket(provider="astria", remote_id="123")


async def test_a_wrapped_receipt_is_read_too() -> None:
    assert (await create(Answers({"tune": {"id": 123}}))).ref.remote_id == "123"
    assert (await generate(Answers({"prompt": {"id": 77}}))).remote_id == "77"


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": None}, {"id": True}, {"id": "../1"}, [], "", "<html>wait"])
async def test_a_receipt_without_an_id_leaves_the_order_uncertain(body: object) -> None:
    for order in (create, generate):
        with pytest.raises(Uncertain):
            await order(Answers(body))


@pytest.mark.parametrize(
    ("status", "body", "error", "sentence"),
    [
        (401, {"error": "Unauthorized"}, Broken, "did not accept the key"),
        (403, {}, Broken, "did not accept the key"),
        (402, {"error": "Insufficient balance"}, Broken, "no money left"),
        (403, "Training models is only available on paid plans", Broken, "no paid plan"),
        (400, {"error": "callback is not a URL"}, Refused, "callback is not a URL"),
        (422, {"images": ["must contain at least one image"]}, Refused, "down: images: must contain at least one"),
        (422, {"cfg_scale": ["must be less than 5", "is odd"]}, Refused, "cfg_scale: must be less than 5"),
        (429, {}, Unavailable, "busy"),
        (503, "", Unavailable, "busy"),
        (500, "Internal Server Error", Uncertain, "after it was given the order"),
        (502, "", Uncertain, "after it was given the order"),
        (504, "<html>", Uncertain, "after it was given the order"),
    ],
)
async def test_an_order_that_fails_says_what_happens_next(
    status: int, body: object, error: type[BotError], sentence: str
) -> None:
    for order in (create, generate):
        answers = Answers(body, status=status)
        with pytest.raises(error, match=sentence) as failed:
            await order(answers)
        assert type(failed.value) is error
        assert len(answers.asked) == 1


async def test_a_busy_astria_is_left_alone_for_as_long_as_it_asked_or_half_a_minute() -> None:
    for headers, seconds in (({"Retry-After": "90"}, 90), ({}, 30)):
        with pytest.raises(Unavailable) as failed:
            await create(Answers({}, status=429, headers=headers))
        assert failed.value.retry_after == seconds


async def test_what_is_gone_is_told_apart() -> None:
    with pytest.raises(Withdrawn, match="another trainer"):
        await create(Answers({}, status=404))
    with pytest.raises(Broken, match="no longer offers FLUX"):
        await generate(Answers({}, status=404))
    assert (await training({}, status=404)).status is Status.MISSING
    assert (await look({}, status=404)).status is Status.MISSING
    async with account(Answers({}, status=404)) as client:
        await client.delete_finetune(REF)
        with pytest.raises(Refused, match="any more"):
            await client.finetune_details(REF)
        with pytest.raises(Refused, match="does not tell"):
            await client.balance()


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_question_that_fails_may_be_asked_again_after_half_a_minute(status: int) -> None:
    for ask in (training, look):
        with pytest.raises(Unavailable) as failed:
            await ask("", status=status)
        assert failed.value.retry_after == 30


async def test_an_order_without_an_answer_is_uncertain() -> None:
    async def silence(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    app.router.add_post("/tunes", silence)
    async with TestServer(app) as server, http.session() as session:
        base = str(server.make_url("/").origin())
        client = Astria(session, key=SecretStr(KEY), base=base, timeouts=Timeouts(total=0.1))
        with pytest.raises(Uncertain):
            await client.create_finetune(SPEC, PICTURES)


@pytest.mark.parametrize(
    ("moments", "status"),
    [
        ({}, Status.WAITING),
        ({"started_training_at": None, "trained_at": None, "failed_at": None}, Status.WAITING),
        ({"started_training_at": "2025-06-15T14:32:05.229Z"}, Status.RUNNING),
        ({"started_training_at": "2025-06-15T14:32:05Z", "trained_at": "2025-06-15T14:37:00Z"}, Status.READY),
        ({"started_training_at": "2025-06-15T15:00:00Z", "trained_at": "2025-06-15T14:37:00Z"}, Status.READY),
        ({"started_training_at": "2025-06-15T14:32:05Z", "failed_at": "2025-06-15T14:37:00Z"}, Status.FAILED),
        ({"user_error": "Not enough faces"}, Status.FAILED),
        ({"trained_at": "2025-06-01T00:00:00Z", "expires_at": "2025-06-15T00:00:00Z"}, Status.MISSING),
        ({"trained_at": "2025-06-01T00:00:00Z", "expires_at": "soon"}, Status.READY),
    ],
)
async def test_a_training_is_read_from_its_moments(moments: dict[str, Any], status: Status) -> None:
    outcome = await training({"id": 123, **moments})
    assert outcome.status is status
    assert outcome.reasons == (("Not enough faces",) if "user_error" in moments else ())


async def test_a_training_tells_when_it_should_be_ready_what_it_costs_and_how_long_it_is_kept() -> None:
    outcome = await training({"id": 123, "eta": "2025-06-15T19:52:28.000Z", "cost_mc": 150_000})
    assert (outcome.ready_by, outcome.cost, outcome.expires_at) == (1_750_017_148, 1_500_000, None)
    outcome = await training({"id": 123, "trained_at": "2025-06-15T19:47:04Z", "expires_at": "2025-07-15T19:47:04Z"})
    assert (outcome.ready_by, outcome.expires_at) == (None, 1_752_608_824)


async def test_the_pictures_of_a_pack_are_samples() -> None:
    def answer(request: web.Request) -> Any:
        if request.path.endswith("/prompts"):
            return [{"id": 1, "images": ["https://mp.astria.ai/a"]}, {"id": 2, "images": None}, "odd", {"id": 3}]
        return {"id": 123, "trained_at": "2025-06-15T19:47:04Z", "base_pack_id": 260}

    assert (await training(answer)).samples == ("https://mp.astria.ai/a",)


async def test_a_lost_training_is_found_by_its_very_title() -> None:
    names = ["Aunt Ada · j1-00", "aunt ada · j1-0", "Aunt Ada · j1-0", None]

    def answer(request: web.Request) -> Any:
        """A server that knows neither the filter nor a page of more than two."""
        before = int(request.query.get("before_id", 1000))
        tunes = [{"id": 900 - place, "title": name, "cost_mc": 500} for place, name in enumerate(names)]
        return [tune for tune in tunes if int(str(tune["id"])) < before][:2]

    async with account(Answers(answer)) as client:
        started = await client.find_finetune(SPEC)
        assert started
        assert (started.ref.remote_id, started.ref.trigger, started.cost) == ("898", "ohwx woman", 5_000)
        assert await client.find_finetune(SPEC.model_copy(update={"id": "j2-0"})) is None


async def test_a_search_that_finds_nothing_by_title_looks_at_the_newest() -> None:
    def answer(request: web.Request) -> Any:
        return [] if "title" in request.query else [{"id": 9, "title": SPEC.label}]

    answers = Answers(answer)
    async with account(answers) as client:
        assert await client.find_finetune(SPEC)
    assert answers.asked == [
        "GET /tunes?limit=50&title=Aunt%20Ada%20%C2%B7%20j1-0",
        "GET /tunes?limit=50",
    ]


async def test_a_search_ends_even_where_pages_do_not() -> None:
    def answer(request: web.Request) -> Any:
        return [{"id": int(request.query.get("before_id", 10_000)) - 1, "title": "another"}]

    answers = Answers(answer)
    async with account(answers) as client:
        assert await client.find_finetune(SPEC) is None
    assert len(answers.asked) == 2 * astria.SEARCHED_PAGES


async def test_at_most_five_hundred_are_listed_and_none_twice() -> None:
    def answer(request: web.Request) -> Any:
        last = int(request.query.get("before_id", 2001))
        return [{"id": id_, "token": "ohwx", "name": "cat"} for id_ in range(last, last - 50, -1)]

    async with account(Answers(answer)) as client:
        refs = await client.list_finetunes()
    assert len({ref.remote_id for ref in refs}) == len(refs) == 500
    assert refs[0] == FinetuneRef(provider="astria", remote_id="2001", trigger="ohwx cat")


async def test_a_list_is_read_as_far_as_it_can_be() -> None:
    async with account(Answers([{"id": 3}, None, {"id": "x"}, {"name": "no id"}, {"id": 2, "name": 5}])) as client:
        assert [ref.remote_id for ref in await client.list_finetunes()] == ["3", "2"]


async def test_details_are_for_people() -> None:
    body = {"id": 123, "title": "Aunt Ada", "name": "woman", "steps": 400, "cost_mc": 200_000, "orig_images": ["a"]}
    async with account(Answers(body)) as client:
        assert await client.finetune_details(REF) == {
            "Number": "123",
            "Title": "Aunt Ada",
            "Class": "woman",
            "Steps": "400",
            "Pictures": "1",
            "Cost": "$2.00",
        }


async def test_a_deletion_counts_when_the_finetune_is_gone_whatever_the_answer_was() -> None:
    gone: set[str] = set()

    async def answer(request: web.Request) -> web.Response:
        if request.method == "DELETE":
            gone.add(request.path)
            return web.Response(status=200)
        return web.json_response({}, status=404) if request.path in gone else web.json_response({"id": 123})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, http.session() as session:
        client = Astria(session, key=SecretStr(KEY), base=str(server.make_url("/").origin()))
        await client.delete_finetune(REF)
    assert gone == {"/tunes/123"}

    async with account(Answers("", status=200)) as client:  # says nothing, and the finetune stays unreadable
        with pytest.raises(Unavailable):
            await client.delete_finetune(REF)


async def test_an_inspection_is_told_in_our_words() -> None:
    body = {"blurry": True, "wearing_hat": "true", "selfie": False, "funny_face": None, "name": "Woman", "age": "30 yo"}
    answers = Answers(body)
    async with account(answers) as client:
        seen = await client.inspect_image(PICTURES.pictures[0], "woman")
        assert seen == Inspection(complaints=("blurry", "a hat"), class_name="woman")
    assert answers.asked == ["POST /images/inspect"]
    assert answers.forms == [[("name", "woman"), ("file", "0001.jpg image/jpeg first")]]
    async with account(Answers({"name": "NONE"})) as client:
        assert await client.inspect_image(PICTURES.pictures[0], "woman") == Inspection()


async def test_packs_are_listed_with_their_highest_price() -> None:
    costs = {"man": 200_000, "woman": 100_000, "odd": "?"}
    async with account(Answers([{"id": 5, "title": "Suits", "cost_mc_hash": costs}, {"id": 6, "slug": "s"}])) as client:
        assert await client.list_packs() == [
            Pack(
                id="5",
                title="Suits",
                class_names=("man", "woman", "odd"),
                cost=MicroUSD(2_000_000),
                costs={"man": MicroUSD(2_000_000), "woman": MicroUSD(1_000_000)},
            ),
            Pack(id="6", title="s"),
        ]


async def test_a_picture_is_ordered_on_the_base_with_the_finetune_in_its_text() -> None:
    answers = Answers({"id": 77, "cost_mc": 2_500, "text": "…"}, status=201)
    generation = catalogue.check(
        Generation(
            model="astria-flux",
            prompt="ohwx man in the rain",
            parameters={
                "finetune_strength": 0.85,
                "seed": 7,
                "aspect_ratio": "16:9",
                "style": "fantasy art",
                "color_grading": "FILM VELVIA",
                "super_resolution": True,
                "film_grain": False,
                "cfg_scale": 3.5,
                "controlnet": "canny",
            },
            inputs={"input_image": "5e" * 32},
            finetune=REF,
        )
    )
    async with account(answers) as client:
        ticket = await client.generate(generation, {"input_image": b"a photograph"}, CALLBACK)

    assert ticket == Ticket(provider="astria", remote_id="77", cost=MicroUSD(25_000))
    assert answers.asked == ["POST /tunes/1504944/prompts"]
    assert answers.forms == [
        [
            ("prompt[text]", "<lora:123:0.85> ohwx man in the rain"),
            ("prompt[num_images]", "1"),
            ("prompt[seed]", "7"),
            ("prompt[aspect_ratio]", "16:9"),
            ("prompt[style]", "Fantasy art"),
            ("prompt[color_grading]", "Film Velvia"),
            ("prompt[super_resolution]", "true"),
            ("prompt[film_grain]", "false"),
            ("prompt[cfg_scale]", "3.5"),
            ("prompt[controlnet]", "canny"),
            ("prompt[callback]", CALLBACK.url),
            ("prompt[input_image]", "input.jpeg image/jpeg a photograph"),
        ]
    ]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"inpaint_faces": True}, "Redraw faces needs super resolution"),
        ({"hires_fix": True, "super_resolution": False}, "Add detail needs super resolution"),
        ({"controlnet": "pose"}, "Keep is about an input image"),
        ({"denoising_strength": 0.5}, "Change is about an input image"),
        ({"negative_prompt": "hands"}, "no negative prompt"),
        ({"cfg_scale": 5}, "less than 5"),
    ],
)
async def test_settings_that_do_not_go_together_are_refused_before_anything_is_sent(
    parameters: dict[str, Value], sentence: str
) -> None:
    answers = Answers({"id": 77})
    with pytest.raises(Refused, match=sentence):
        await generate(answers, Generation(model="astria-flux", prompt="a", parameters=parameters, finetune=REF))
    assert answers.asked == []


@pytest.mark.parametrize(
    ("ref", "sentence"),
    [
        (None, "without a finetune"),
        (FinetuneRef(provider="astria", remote_id="1:1> <lora:2"), "without its number"),
        (FinetuneRef(provider="bfl", remote_id="1"), "not one of Astria's"),
    ],
)
async def test_only_a_number_gets_into_the_tag(ref: FinetuneRef | None, sentence: str) -> None:
    answers = Answers({"id": 77})
    with pytest.raises(Broken, match=sentence):
        await generate(answers, Generation(model="astria-flux", prompt="a", finetune=ref))
    assert answers.asked == []


LOOKS: list[tuple[dict[str, Any], Status]] = [
    ({"id": 77}, Status.WAITING),
    ({"id": 77, "images": []}, Status.WAITING),
    ({"id": 77, "images": None, "user_error": None, "started_training_at": "2025-06-15T14:32:05Z"}, Status.RUNNING),
    ({"id": 77, "trained_at": "2025-06-15T14:32:05Z"}, Status.RUNNING),
    ({"id": 77, "images": [None, {}]}, Status.WAITING),
    ({"id": 77, "images": ["https://mp.astria.ai/a"]}, Status.READY),
    ({"id": 77, "images": ["https://mp.astria.ai/a"], "user_error": "One of two failed"}, Status.READY),
    ({"id": 77, "user_error": "Face not found"}, Status.FAILED),
    ({"id": 77, "user_error": ["odd"]}, Status.FAILED),
    ({"id": 77, "user_error": "NSFW content detected"}, Status.MODERATED_INPUT),
    ({"prompt": {"id": 77, "images": ["https://mp.astria.ai/a"]}}, Status.READY),
]


@pytest.mark.parametrize(("body", "status"), LOOKS)
async def test_a_picture_is_settled_by_images_or_an_error_and_nothing_else(body: Any, status: Status) -> None:
    looked = await look(body)
    assert looked.status is status
    assert bool(looked.urls) is (status is Status.READY)
    assert bool(looked.reasons) is (status in {Status.FAILED, Status.MODERATED_INPUT})


async def test_a_finished_picture_tells_its_seed_and_how_long_it_took() -> None:
    times = {"started_training_at": "2025-06-15T14:32:05.229Z", "trained_at": "2025-06-15T14:32:25.229Z"}
    looked = await look({"id": 77, "images": ["https://mp.astria.ai/a"], "seed": 2**32 - 1, **times})
    assert (looked.seed, looked.seconds) == (2**32 - 1, 20)
    assert (await look({"id": 77, "images": ["https://mp.astria.ai/a"], "seed": "7"})).seed is None


async def test_a_picture_is_fetched_without_the_key_and_from_nowhere_else(tmp_path: Path) -> None:
    answers = Answers("a picture")
    async with account(answers) as client:
        await client.fetch_output(f"{answers.origin}/mp/abc", tmp_path / "picture")
        assert (tmp_path / "picture").read_text() == "a picture"
        for foreign in (
            "https://evil.example/abc",
            "http://mp.astria.ai/abc",
            "https://mp.astria.ai.evil.example/abc",
            "https://api.astria.ai/users",
            "https://other.s3.amazonaws.com/abc",
        ):
            with pytest.raises(Broken, match="foreign"):
                await client.fetch_output(foreign, tmp_path / "other")
    assert answers.keys == {None}


async def test_a_further_origin_hands_out_pictures_and_gets_no_key(tmp_path: Path) -> None:
    elsewhere, answers = Answers("a picture"), Answers()
    async with account(elsewhere), account(answers), http.session() as session:
        client = Astria(session, key=SecretStr(KEY), base=answers.origin, origins=[elsewhere.origin])
        await client.fetch_output(f"{elsewhere.origin}/abc", tmp_path / "picture")
    assert (elsewhere.keys, answers.asked) == ({None}, [])


async def test_the_balance_is_told_in_dollars() -> None:
    async with account(Answers({"id": 1, "usd_balance_mc": 1_234_567})) as client:
        assert await client.balance() == 12_345_670


async def test_the_key_is_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    answers = Answers(f"who is {KEY}, Bearer {KEY}?", status=400)
    async with account(answers) as client:
        with pytest.raises(Refused) as failed:
            await client.create_finetune(SPEC, PICTURES, CALLBACK)
        assert KEY not in str(failed.value) + repr(client) + repr(vars(client)) + caplog.text
    assert CALLBACK.secret not in str(answers.forms)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("a cat, well-known, 3-4 years old", "a cat, well-known, 3-4 years old"),
        ("a cat — black and white – asleep", "a cat — black and white – asleep"),
        ("café \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} in Zürich\n猫：黒", None),
        ("<lora:1:1> a cat", "a cat"),
        ("a <LoRA : 5 : 1 > cat", "a cat"),
        ("a cat <faceid:5:1>, asleep", "a cat, asleep"),
        ("<lo<lora:1:1>ra:2:1> a cat", "a cat"),
        ("<<lora:1:1>lora:2:1>a cat", "a cat"),
        ("\uff1clora\uff1a1\uff1a1\uff1e a cat", "a cat"),
        ("&lt;lora:1:1&gt; a &#60;faceid:1:1&#x3E; cat", "a cat"),
        ("&amp;lt;lora:1:1&amp;gt; a cat", "a cat"),
        ("<lo\u200bra:1:1> a cat", "a cat"),
        ("a cat <lora:1:1", "a cat"),
        ("I <3 cats -> dogs", "I ‹3 cats -› dogs"),
        ("a cat --video", "a cat"),
        ("a cat --ar 1:1, asleep", "a cat, asleep"),
        ("--seed=5 a cat --cfg 3.5", "a cat"),
        ("a cat —video", "a cat"),
        ("a cat ––video_model kling", "a cat kling"),
        ("a cat \uff0d\uff0dvideo", "a cat"),
        ("a cat -\u200b-video", "a cat"),
        ("a cat--video", "a cat – video"),
        ("-<a:1>-video", "- -video"),
        ("a cat -- asleep", "a cat – asleep"),
        ("<lora:1:1> --video", ""),
    ],
)
def test_what_astria_would_obey_is_taken_out_of_a_prompt(typed: str, left: str | None) -> None:
    assert escape_syntax(typed) == (typed if left is None else left)
    assert escape_syntax(escape_syntax(typed)) == escape_syntax(typed)


async def test_a_prompt_of_nothing_but_commands_is_refused() -> None:
    answers = Answers({"id": 77})
    with pytest.raises(Refused, match="Say what to draw"):
        await generate(answers, a_portrait("<lora:5:1> --video"))
    await generate(answers, a_portrait("<lora:5:1> ohwx man --video"))
    assert answers.forms[0][0] == ("prompt[text]", "<lora:123:1> ohwx man")


@pytest.mark.parametrize(("strength", "written"), [(1, "1"), (0.85, "0.85"), (1e-5, "0"), (0, "0"), (1 / 3, "0.3333")])
def test_a_strength_is_written_without_an_exponent(strength: float, written: str) -> None:
    assert lora_tag("5", strength) == f"<lora:5:{written}>"
