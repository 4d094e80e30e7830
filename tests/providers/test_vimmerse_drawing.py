"""Drawing with a finetune at Vimmerse, against all the answers that its document leaves open."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.http import client as http
from bot.http.client import Timeouts
from bot.providers.interface import Look, Status, TellsBalance, Ticket
from bot.providers.training import DeletesFinetunes, HasPacks, InspectsPictures, ListsFinetunes, TrainingProvider
from bot.providers.vimmerse.client import Vimmerse
from tests.scenes.vimmerse_account import (
    HOOK,
    KEY,
    LINK,
    REF,
    Answers,
    a_lion,
    account,
    an_edit,
    generate,
    pictures,
    spec,
)


async def look(body: Any, *, status: int = 200, **ticket: Any) -> Look:
    asked = Ticket.model_validate({"provider": "vimmerse", "remote_id": "a-1", **ticket})
    async with account(Answers(body, status=status)) as client:
        return await client.job_status(asked)


async def test_a_picture_is_ordered_with_a_plain_form() -> None:
    answers = Answers({"data": {"id": "a-2", "status": "processing", "results": []}})
    generation = a_lion(aspect_ratio="1:1", creativity_strength=3, enhance_image=True)
    async with account(answers) as client:
        ticket = await client.generate(generation, {}, HOOK)

    assert ticket == Ticket(provider="vimmerse", remote_id="a-2")
    assert answers.asked == ["POST /image/text-2-image"]
    assert answers.types == ["application/x-www-form-urlencoded"]
    assert answers.keys == {KEY}
    assert answers.forms == [
        [
            ("prompt", "LEO_ab12, a lion"),
            ("option", "FluxFinetuned"),
            ("quantity", "1"),
            ("async_mode", "true"),
            ("aspect_ratio", "1:1"),
            ("creativity_strength", "3"),
            ("enhance_image", "true"),
            ("webhook_url", HOOK.url),
        ]
    ]


async def test_a_learned_edit_is_ordered_with_its_picture() -> None:
    answers = Answers({"id": "a-2"})
    assert (await generate(answers, an_edit())).remote_id == "a-2"
    assert answers.asked == ["POST /image/image-2-image"]
    assert answers.types == ["multipart/form-data"]
    assert answers.forms == [
        [
            ("prompt", "LEO_ab12"),
            ("option", "FluxKontextFinetuned"),
            ("quantity", "1"),
            ("async_mode", "true"),
            ("image_file", ("image.png", "image/png", b"\x89PNG picture")),
        ]
    ]


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("a lion & 50% more", "LEO_ab12, a lion & 50% more"),
        ("a lion like LEO_ab12é", "LEO_ab12, a lion like LEO_ab12é"),
        ("leo_ab12 as a king", "LEO_ab12, leo_ab12 as a king"),
        ("a lion, in the style of LEO_ab12", "a lion, in the style of LEO_ab12"),
    ],
)
async def test_the_trigger_word_is_always_in_the_prompt_for_nothing_else_names_the_finetune(
    prompt: str, sent: str
) -> None:
    answers = Answers({"id": "a-2"})
    await generate(answers, a_lion(prompt))
    assert answers.forms[0][0] == ("prompt", sent)


async def test_a_finetune_and_a_model_that_do_not_fit_are_refused_before_anything_is_paid() -> None:
    answers = Answers({"id": "a-2"})
    kontext = REF.model_copy(update={"option": "FluxKontextFinetune"})
    for generation in (a_lion(ref=kontext), an_edit().model_copy(update={"finetune": REF})):
        with pytest.raises(Refused, match="choose that model"):
            await generate(answers, generation)
    with pytest.raises(Broken, match="without its trigger word"):
        await generate(answers, a_lion(ref=REF.model_copy(update={"remote_id": "", "trigger": ""})))
    assert answers.asked == []


@pytest.mark.parametrize(
    ("body", "id_", "link"),
    [
        ({"data": {"id": "a-2", "results": [LINK], "status": "success"}}, "a-2", LINK),
        ({"asset_id": "a-2"}, "a-2", None),
        ({"data": "a-2"}, "a-2", None),
        ({"data": {"results": [LINK], "status": "success"}}, "", LINK),
        ({"data": [{"URL": LINK}]}, "", LINK),
    ],
)
async def test_a_receipt_is_understood_bare_or_wrapped_before_or_after_the_picture_is_there(
    body: Any, id_: str, link: str | None
) -> None:
    assert await generate(Answers(body)) == Ticket(provider="vimmerse", remote_id=id_, polling_url=link)


@pytest.mark.parametrize(
    "body", [{}, {"data": {}}, [], {"data": None}, {"message": "?"}, "<html>Just a moment...</html>"]
)
async def test_a_receipt_without_asset_or_picture_leaves_the_order_uncertain(body: Any) -> None:
    with pytest.raises(Uncertain):
        await generate(Answers(body))


async def test_a_model_that_is_gone_is_for_the_admin() -> None:
    with pytest.raises(Broken, match="no longer offers FLUX at Vimmerse"):
        await generate(Answers({"message": "NOT_FOUND"}, status=404))


@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_finished_picture_comes_with_its_link_and_how_long_it_took(wrapped: bool) -> None:
    asset = {
        "id": "a-1",
        "status": "success",
        "results": [LINK, {"URL": LINK}, 5],
        "created_at": "2025-05-06 16:35:59.840508+00:00",
        "updated_at": "2025-05-06 16:36:11.340508+00:00",
    }
    assert await look({"data": asset} if wrapped else asset) == Look(
        status=Status.READY, urls=(LINK, LINK), seconds=11.5
    )
    odd = {**asset, "created_at": "yesterday", "updated_at": 7}
    assert (await look(odd)).seconds is None


@pytest.mark.parametrize(
    ("asset", "expected"),
    [
        ({"status": "queue_bullet"}, Look(status=Status.WAITING)),
        ({"status": "processing", "progress_percentage": 250}, Look(status=Status.RUNNING, progress=1)),
        ({"status": "Processing_Bullet", "results": [LINK]}, Look(status=Status.RUNNING)),
        ({"status": None, "progress_percentage": "9"}, Look(status=Status.RUNNING)),
        ({}, Look(status=Status.RUNNING)),
        ([], Look(status=Status.RUNNING)),
        ({"status": "fail", "message": "Flagged"}, Look(status=Status.FAILED, reasons=("Flagged",))),
        ({"status": "cancel"}, Look(status=Status.FAILED)),
    ],
)
async def test_every_word_for_how_a_picture_goes_is_understood_and_an_unknown_one_is_no_end(
    asset: Any, expected: Look
) -> None:
    assert await look({"data": asset}) == expected


async def test_a_look_that_fails_may_be_repeated_and_a_picture_that_came_at_once_needs_none() -> None:
    assert (await look({"message": "NOT_FOUND"}, status=404)).status is Status.MISSING
    for code in (429, 500, 502, 503):
        with pytest.raises(Unavailable):
            await look({"message": "ERROR"}, status=code)
    with pytest.raises(Broken):
        await look({"message": "ERROR"}, status=400)
    with pytest.raises(Broken, match="sent none"):
        await look({"data": {"status": "success", "results": []}})
    assert await look({}, status=500, remote_id="", polling_url=LINK) == Look(status=Status.READY, urls=(LINK,))
    assert await look({}, status=404, polling_url=LINK) == Look(status=Status.READY, urls=(LINK,))


async def test_a_picture_is_fetched_without_the_key_from_the_services_own_hosts_only(tmp_path: Path) -> None:
    answers = Answers("!picture")
    async with account(answers) as client:
        await client.fetch_output(f"{answers.origin}/c/output.png", tmp_path / "picture")
        for url in (
            "https://evil.example/output.png",
            "http://media.vimmerse.net/output.png",
            "https://media.vimmerse.net.evil.example/output.png",
            "https://evilmedia.vimmerse.net/output.png",
            "https://api.vimmerse.net/output.png",
            "https://media.vimmerse.net:8443/output.png",
            "http://127.0.0.1:1/output.png",
        ):
            with pytest.raises(Broken, match="foreign"):
                await client.fetch_output(url, tmp_path / "other")
    assert (tmp_path / "picture").read_text() == "!picture"
    assert answers.keys == {None}


async def test_pictures_may_lie_on_a_named_origin_which_gets_no_key(tmp_path: Path) -> None:
    answers = Answers("!picture")
    async with account(answers) as _, http.session() as session:
        client = Vimmerse(session, key=SecretStr(KEY), origins=[answers.origin])
        await client.fetch_output(f"{answers.origin}/c/output.png", tmp_path / "picture")
    assert answers.keys == {None}


async def test_what_it_cannot_do_it_does_not_claim() -> None:
    async with account(Answers()) as client:
        assert isinstance(client, TrainingProvider)
        for claim in (TellsBalance, ListsFinetunes, DeletesFinetunes, InspectsPictures, HasPacks):
            assert not isinstance(client, claim)


async def test_the_key_is_in_no_error_and_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for body, code in (({"message": f"bad key {KEY}"}, 400), ({"data": {KEY: KEY}}, 200)):
        with pytest.raises(BotError) as failed:
            await generate(Answers(body, status=code))
        assert KEY not in str(failed.value)
    async with account(Answers()) as client:
        assert KEY not in repr(vars(client))
    assert KEY not in caplog.text


async def test_the_services_own_hosts_are_known(tmp_path: Path) -> None:
    asked: list[str] = []

    class Offline(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
            asked.append(host)
            raise OSError("offline")

        async def close(self) -> None: ...

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Offline())) as session:
        client = Vimmerse(session, key=SecretStr(KEY))
        for host in ("media.vimmerse.net", "dev-media.vimmerse.net"):
            with pytest.raises(Unavailable):
                await client.fetch_output(f"https://{host}/customer_id/output.png", tmp_path / "picture")
        with pytest.raises(Unavailable):
            await client.generate(a_lion(), {})
    assert asked == ["media.vimmerse.net", "dev-media.vimmerse.net", "api.vimmerse.net"]


class Silence(Answers):
    """Takes what it is asked, and never answers."""

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


async def test_a_service_that_does_not_answer_may_have_taken_the_order() -> None:
    async with account(Silence(), timeouts=Timeouts(idle=0.2, total=0.2)) as client:
        with pytest.raises(Uncertain):
            await client.generate(a_lion(), {})
        with pytest.raises(Uncertain):
            await client.create_finetune(spec(), pictures())
        with pytest.raises(Unavailable):
            await client.job_status(Ticket(provider="vimmerse", remote_id="a-1"))
