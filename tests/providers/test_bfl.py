"""The client against answers that BFL, or something in between, has given or may give."""

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.http import client as http
from bot.http.client import Timeouts
from bot.providers import catalogue
from bot.providers.bfl import client as bfl
from bot.providers.bfl.client import Bfl
from bot.providers.interface import FinetuneRef, Generation, MicroUSD, Provider, Status, Ticket

KEY = "bfl-key-0123-very-secret"
CAT = catalogue.check(Generation(model="flux-pro-1.1", prompt="a cat", parameters={"seed": 7}))
TICKET = Ticket(provider="bfl", remote_id="task-1", region="global")


class Answers:
    """A server that gives one answer to everything, and remembers what it was asked."""

    def __init__(self, body: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.body = body
        self.status = status
        self.headers = headers
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.keys: set[str | None] = set()
        self.origin = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.keys.add(request.headers.get("x-key"))
        if request.method == "POST":
            self.bodies.append(await request.json())
        if isinstance(self.body, str):
            return web.Response(text=self.body, status=self.status, headers=self.headers)
        return web.json_response(self.body, status=self.status, headers=self.headers)


@contextlib.asynccontextmanager
async def serving(answers: Answers) -> AsyncGenerator[Answers]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers.answer)
    async with TestServer(app) as server:
        answers.origin = str(server.make_url("/").origin())
        yield answers


@contextlib.asynccontextmanager
async def account(answers: Answers, *regions: str, timeouts: Timeouts = http.DEFAULT_TIMEOUTS) -> AsyncGenerator[Bfl]:
    """The client, with its account on a server that gives these answers."""
    async with serving(answers), http.session() as session:
        bases = dict.fromkeys(regions or bfl.REGIONS, answers.origin)
        yield Bfl(session, key=SecretStr(KEY), bases=bases, timeouts=timeouts)


async def generate(answers: Answers, generation: Generation = CAT) -> Ticket:
    async with account(answers) as client:
        return await client.generate(generation, {})


async def look(body: Any, *, status: int = 200) -> Any:
    async with account(Answers(body, status=status)) as client:
        return await client.job_status(TICKET)


async def test_an_order_becomes_a_ticket() -> None:
    polling_url = "https://api.us3.bfl.ai/v1/get_result?id=task-1"
    answers = Answers({"id": "task-1", "polling_url": polling_url, "cost": 4.0, "input_mp": 0, "output_mp": 1})

    async with account(answers) as client:
        provider: Provider = client
        ticket = await provider.generate(CAT, {})

    assert ticket == Ticket(
        provider="bfl", remote_id="task-1", polling_url=polling_url, region="global", cost=MicroUSD(40_000)
    )
    assert answers.asked == ["POST /v1/flux-pro-1.1"]
    assert answers.keys == {KEY}
    assert answers.bodies == [{"prompt": "a cat", "seed": 7, "output_format": "jpeg"}]


@pytest.mark.parametrize("cost", [None, "4", -1, True, [4]])
async def test_an_odd_detail_in_a_receipt_does_not_lose_the_order(cost: object) -> None:
    ticket = await generate(Answers({"id": "task-1", "polling_url": 5, "cost": cost, "new": {}}))
    assert ticket == Ticket(provider="bfl", remote_id="task-1", region="global")


async def test_a_finetune_is_ordered_where_it_was_trained() -> None:
    finetune = FinetuneRef(provider="bfl", remote_id="f-1", region="eu1")
    generation = catalogue.check(Generation(model="flux-pro-finetuned", prompt="TOK", finetune=finetune))
    answers = Answers({"id": "task-1"})

    async with account(answers, "eu1") as client:
        ticket = await client.generate(generation, {})
        assert ticket.region == "eu1"
        await client.job_status(ticket)
        astray = generation.model_copy(update={"finetune": finetune.model_copy(update={"region": "eu"})})
        with pytest.raises(Broken, match="not served in the region eu"):
            await client.generate(astray, {})

    assert answers.asked == ["POST /v1/flux-pro-finetuned", "GET /v1/get_result?id=task-1"]
    assert answers.bodies == [{"prompt": "TOK", "output_format": "jpeg", "finetune_id": "f-1"}]


@pytest.mark.parametrize(
    ("status", "detail", "error", "sentence"),
    [
        (402, "Insufficient credits.", Broken, "out of credits: the admin"),
        (400, "Insufficient credits.", Broken, "out of credits"),
        (403, "Not authenticated", Broken, "did not accept the key"),
        (403, "Not authenticated - Invalid Authentication", Broken, "did not accept the key"),
        (400, "Invalid API key format", Broken, "did not accept the key"),
        (404, "Not Found", Broken, r"no longer offers FLUX 1.1 \[pro\]"),
        (405, "Method Not Allowed", Broken, "no longer offers"),
        (410, "Gone", Broken, "no longer offers"),
        (404, "Finetune not found or not ready", Refused, "does not know this finetune"),
        (400, "Invalid finetune_id passed.", Refused, "does not know this finetune"),
        (422, [{"loc": ["body", "seed"], "msg": "Too odd", "input": "private"}], Refused, "down: seed: Too odd.$"),
        (429, "Too many active tasks.", Unavailable, "as much for this server"),
        (503, "Overloaded", Unavailable, "busy"),
        (500, "Insufficient credits", Uncertain, "failed after"),
        (502, "Bad Gateway", Uncertain, "failed after"),
    ],
)
async def test_an_order_that_fails_says_what_happens_next(
    status: int, detail: object, error: type[BotError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as failed:
        await generate(Answers({"detail": detail}, status=status, headers={"Retry-After": "30"}))
    assert isinstance(failed.value, Unavailable) is (status in {429, 503})
    if isinstance(failed.value, Unavailable):
        assert failed.value.retry_after == 30


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": None}, [], "", "<html>Just a moment...</html>"])
async def test_a_receipt_without_an_id_leaves_the_order_uncertain(body: object) -> None:
    with pytest.raises(Uncertain):
        await generate(Answers(body))


async def test_a_hostile_polling_address_keeps_the_order_and_gets_neither_key_nor_visit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(Answers({"status": "Ready", "result": {"sample": "https://evil.example"}})) as evil:
        for polling_url in (
            f"{evil.origin}/v1/get_result?id=task-1",
            "https://api.bfl.ai.evil.example/v1/get_result?id=task-1",
            "https://api.bfl.ai@evil.example/v1/get_result?id=task-1",
            "https://api.bfl.ai:8443/v1/get_result?id=task-1",
            "http://api.bfl.ai/v1/get_result?id=task-1",
            "https://api.bfl.ai/v1/delete_finetune?id=task-1",
            "https://delivery-us1.bfl.ai/v1/get_result?id=task-1",
        ):
            answers = Answers({"id": "task-1", "polling_url": polling_url})
            async with account(answers) as client:
                ticket = await client.generate(CAT, {})
                assert ticket.remote_id == "task-1"
                assert ticket.polling_url is None
                await client.job_status(ticket)
                await client.job_status(ticket.model_copy(update={"polling_url": polling_url}))
            assert answers.asked[1:] == ["GET /v1/get_result?id=task-1"] * 2
        assert evil.asked == []
    assert "foreign polling address" in caplog.text


@pytest.mark.parametrize("cluster", ["api.us3.bfl.ai", "api.eu4.bfl.ai", "api.bfl.ai", "api.bfl.ml", "api.us1.bfl.ai"])
async def test_polling_addresses_of_every_cluster_are_kept(cluster: str) -> None:
    polling_url = f"https://{cluster}/v1/get_result?id=task-1"
    assert (await generate(Answers({"id": "task-1", "polling_url": polling_url}))).polling_url == polling_url


async def test_an_id_is_sent_as_a_value_whatever_is_in_it() -> None:
    answers = Answers({"status": "Pending"})
    async with account(answers) as client:
        await client.job_status(TICKET.model_copy(update={"remote_id": "a&b=/../c"}))
    assert answers.asked == ["GET /v1/get_result?id=a%26b%3D%2F..%2Fc"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Pending", Status.RUNNING),
        ("Queued", Status.WAITING),
        ("Processing", Status.RUNNING),
        ("Reasoning", Status.RUNNING),
        ("Generating", Status.RUNNING),
        ("A word of 2027", Status.RUNNING),
        (None, Status.RUNNING),
        (7, Status.RUNNING),
        ("Request Moderated", Status.MODERATED_INPUT),
        ("Content Moderated", Status.MODERATED_OUTPUT),
        ("Error", Status.FAILED),
        ("Failed", Status.FAILED),
        ("Task not found", Status.MISSING),
    ],
)
async def test_every_word_for_how_it_goes_is_understood_and_an_unknown_one_is_no_end(
    word: object, status: Status
) -> None:
    looked = await look({"id": "task-1", "status": word, "result": None, "progress": None})
    assert looked.status is status
    assert looked.urls == ()


async def test_a_finished_picture_comes_with_what_the_service_tells_of_it() -> None:
    sample = "https://delivery-us1.bfl.ai/results/ab/sample.jpeg?se=2025&sig=a%2Bb"
    result = {
        "sample": sample,
        "prompt": "a cat",
        "seed": 566575719,
        "start_time": 100.5,
        "end_time": 110,
        "duration": 9.9,
    }

    looked = await look({"id": "task-1", "status": "Ready", "result": result})

    assert looked.status is Status.READY
    assert looked.urls == (sample,)
    assert looked.seed == 566575719
    assert looked.seconds == 9.9

    looked = await look({"status": "Ready", "result": {"sample": sample, "start_time": 100.5, "end_time": 110}})
    assert (looked.urls, looked.seed, looked.seconds) == ((sample,), None, 9.5)
    looked = await look(
        {"status": "Ready", "result": {"sample": sample, "start_time": 9, "end_time": "x", "seed": True}}
    )
    assert (looked.urls, looked.seed, looked.seconds) == ((sample,), None, None)


@pytest.mark.parametrize("result", [None, {}, [], "https://delivery.bfl.ai/x", {"sample": None}, {"sample": 5}])
async def test_ready_without_a_picture_is_for_a_human(result: object) -> None:
    with pytest.raises(Broken, match="sent none"):
        await look({"status": "Ready", "result": result})


@pytest.mark.parametrize(
    ("progress", "share"),
    [(None, None), (0, 0), (0.25, 0.25), (1, 1), (50, 0.5), (100, 1), (400, 1), (-1, None), ("5", None)],
)
async def test_progress_is_a_share_whether_the_service_counts_to_one_or_to_a_hundred(
    progress: object, share: float | None
) -> None:
    assert (await look({"status": "Pending", "progress": progress})).progress == share


@pytest.mark.parametrize(
    ("details", "reasons"),
    [
        ({"Moderation Reasons": ["Sexual Content", "Hate"]}, ("Sexual Content", "Hate")),
        ({"Moderation Reasons": "Derivative Works"}, ("Derivative Works",)),
        ("Sexual\x1b Content", ("Sexual Content",)),
        (None, ()),
        ({"code": 5}, ()),
        ({"many": ["no"] * 1000}, ("no",) * 10),
    ],
)
async def test_the_reasons_for_a_moderation_are_passed_on(details: object, reasons: tuple[str, ...]) -> None:
    assert (await look({"status": "Request Moderated", "details": details})).reasons == reasons


async def test_a_look_that_fails_may_be_repeated() -> None:
    assert (await look({"detail": "Not Found"}, status=404)).status is Status.MISSING
    assert (await look("", status=202)).status is Status.RUNNING
    for status in (429, 500, 502, 503, 504):
        with pytest.raises(Unavailable):
            await look({"detail": "Internal Server Error"}, status=status)
    with pytest.raises(Unavailable):
        await look("<html>Just a moment...</html>")
    with pytest.raises(Broken, match=r"did not accept the key of this server's account: the admin has to look at it.$"):
        await look({"detail": "Not authenticated"}, status=403)


async def test_the_balance_is_in_money_and_an_old_server_has_none() -> None:
    async with account(Answers({"credits": 1234.5})) as client:
        assert await client.balance() == 12_345_000
    async with account(Answers({"detail": "Not Found"}, status=404)) as client:
        with pytest.raises(Refused):
            await client.balance()


async def test_a_picture_is_fetched_without_the_key(tmp_path: Path) -> None:
    answers = Answers("picture")
    async with account(answers) as client:
        await client.fetch_output(f"{answers.origin}/results/ab/sample.jpeg?sig=a%2Bb", tmp_path / "picture")

    assert (tmp_path / "picture").read_text() == "picture"
    assert answers.asked == ["GET /results/ab/sample.jpeg?sig=a%2Bb"]
    assert answers.keys == {None}


async def test_an_expired_link_is_for_a_human_and_a_server_in_trouble_is_not(tmp_path: Path) -> None:
    for status, error in ((403, Broken), (404, Broken), (503, Unavailable)):
        answers = Answers("<Error/>", status=status)
        async with account(answers) as client:
            with pytest.raises(error):
                await client.fetch_output(f"{answers.origin}/results/x", tmp_path / "picture")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/sample.jpeg",
        "http://delivery-us1.bfl.ai/sample.jpeg",
        "https://delivery.bfl.ai.evil.example/sample.jpeg",
        "https://bfl.ai/sample.jpeg",
        "https://evilbfl.ai/sample.jpeg",
        "https://bfldelivery.evil.blob.core.windows.net/sample.jpeg",
        "https://evil.blob.core.windows.net/sample.jpeg",
        "https://delivery-us1.bfl.ai:8443/sample.jpeg",
        "http://127.0.0.1:1/sample.jpeg",
        "data:image/png;base64,AA==",
    ],
)
async def test_a_picture_is_fetched_from_the_services_own_hosts_only(url: str, tmp_path: Path) -> None:
    async with account(Answers("picture")) as client:
        with pytest.raises(Broken, match="foreign"):
            await client.fetch_output(url, tmp_path / "picture")


@pytest.mark.parametrize(
    "host",
    [
        "delivery-eu1.bfl.ai",
        "delivery.us2.bfl.ai",
        "bfldeliverysc.blob.core.windows.net",
        "bfldeliveryprodeu4.blob.core.windows.net",
    ],
)
async def test_the_hosts_that_the_service_delivers_from_are_known(host: str, tmp_path: Path) -> None:
    asked: list[str] = []

    class Offline(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
            asked.append(host)
            raise OSError("offline")

        async def close(self) -> None: ...

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Offline())) as session:
        client = Bfl(session, key=SecretStr(KEY))
        with pytest.raises(Unavailable):
            await client.fetch_output(f"https://{host}/results/sample.jpeg?se=2025&sig=a%3D", tmp_path / "picture")
    assert asked == [host]


async def test_a_slow_service_is_not_waited_for_for_ever() -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response(text=request.path)

    answers = Answers()
    answers.answer = hang
    async with account(answers, timeouts=Timeouts(total=0.1)) as client:
        with pytest.raises(Uncertain):
            await client.generate(CAT, {})
        with pytest.raises(Unavailable):
            await client.job_status(TICKET)


async def test_the_key_is_in_no_error_log_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    answers = Answers({"detail": f"Invalid key: {KEY}"}, status=403)
    with caplog.at_level(logging.DEBUG):
        async with account(answers) as client:
            with pytest.raises(Broken) as failed:
                await client.generate(CAT, {})
            assert answers.keys == {KEY}
            text = "".join(traceback.format_exception(failed.value)) + caplog.text
            assert KEY not in text + repr(client) + repr(vars(client))
            assert "Invalid key: [key]" in caplog.text


def test_an_origin_of_the_admins_is_checked_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="must be https"):
        Bfl(None, key=SecretStr(KEY), bases={"global": "http://bfl.example"})  # pyright: ignore[reportArgumentType]
