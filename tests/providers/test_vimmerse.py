"""Training at Vimmerse, against all the answers that its document leaves open; what is sent, against that document."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from bot.errors import BotError, Broken, Refused, Unavailable, Uncertain
from bot.providers import trainer_entries
from bot.providers.interface import FinetuneRef, Status
from bot.providers.training import TrainedSubject, Training, Withdrawn
from bot.providers.vimmerse.models import MODELS
from tests.scenes.vimmerse_account import (
    HOOK,
    KEY,
    KONTEXT,
    LINK,
    PHOTO,
    REF,
    Answers,
    a_lion,
    account,
    an_edit,
    create,
    generate,
    load_properties,
    pictures,
    spec,
)

READY = Training(status=Status.READY, samples=(LINK,))
RUNNING = Training(status=Status.RUNNING)
RUNNING_37 = Training(status=Status.RUNNING, progress=0.37)
FAILED = Training(status=Status.FAILED, reasons=("Too dark",))
TROUBLE = {"message": "Nobody should have asked here."}


async def status(answers: Answers, ref: FinetuneRef = REF) -> Training:
    async with account(answers) as client:
        return await client.finetune_status(ref)


async def test_a_training_is_sent_as_a_form_with_its_pictures_in_order() -> None:
    answers = Answers({"data": {"id": "a-1", "results": ["LEO_ab12"], "status": "processing", "args": {}}})
    started = await create(answers, spec(parameters={"num_iterations": 300}), HOOK)

    assert started.ref == REF
    assert answers.asked == ["POST /finetune"]
    assert answers.types == ["multipart/form-data"]
    assert answers.keys == {KEY}
    assert answers.forms == [
        [
            ("option", "FluxFinetune"),
            ("lora_prefix", "LEO"),
            ("finetune_type", "Character"),
            ("num_iterations", "300"),
            ("webhook_url", HOOK.url),
            ("image_files", ("0001.jpg", "image/jpeg", PHOTO + b"0001.jpg")),
            ("image_files", ("0002.jpg", "image/jpeg", PHOTO + b"0002.jpg")),
        ]
    ]


@pytest.mark.parametrize(
    ("subject", "word"),
    [(TrainedSubject.GENERAL, "Auto"), (TrainedSubject.PRODUCT, "Product"), (TrainedSubject.STYLE, "Style")],
)
async def test_what_is_trained_is_named_in_vimmerses_words(subject: TrainedSubject, word: str) -> None:
    answers = Answers({"data": "LEO_ab12"})
    await create(answers, spec("vimmerse-flux-pro", subject))
    assert answers.forms[0][:3] == [("option", "FluxProFinetune"), ("lora_prefix", "LEO"), ("finetune_type", word)]


async def test_an_edit_is_trained_from_pairs_with_the_words_for_it() -> None:
    answers = Answers({"data": {"id": "a-1", "results": ["LEO_ab12"]}})
    started = await create(answers, KONTEXT)
    assert started.ref.option == "FluxKontextFinetune"
    assert answers.forms[0][:4] == [
        ("option", "FluxKontextFinetune"),
        ("lora_prefix", "LEO"),
        ("prompt", "turn the car red"),
        ("num_iterations", "50"),
    ]
    async with account(answers) as client:
        with pytest.raises(Refused, match="one picture is alone"):
            await client.create_finetune(KONTEXT, pictures(3))
    assert len(answers.asked) == 1


@pytest.mark.parametrize(
    ("body", "trigger", "asset"),
    [
        ({"data": "LEO_ab12"}, "LEO_ab12", None),
        ("LEO_ab12", "LEO_ab12", None),
        ({"trigger_word": "LEO_ab12", "id": 7}, "LEO_ab12", "7"),
        ({"data": {"id": "a-1", "trigger_word": "LEO_ab12", "results": ["other"]}}, "LEO_ab12", "a-1"),
        ({"data": {"id": "a-1", "args": {"trigger_word": "LEO_ab12"}, "results": ["other"]}}, "LEO_ab12", "a-1"),
        ({"data": {"id": "a-1", "results": [" LEO_ab12 "]}}, "LEO_ab12", "a-1"),
        ({"data": {"asset_id": "a-1", "results": [LINK], "status": "success"}}, "", "a-1"),
        ({"data": {"id": "a-1", "results": ["result_url1", "result_url2"]}}, "", "a-1"),
        ({"data": {"id": "a-1", "trigger_word": 5.5, "args": [], "results": {}}}, "", "a-1"),
    ],
)
async def test_the_trigger_word_is_found_wherever_it_stands(body: Any, trigger: str, asset: str | None) -> None:
    ref = (await create(Answers(body))).ref
    assert (ref.remote_id, ref.trigger, ref.task_id) == (trigger, trigger, asset)


@pytest.mark.parametrize(
    "body", [{}, {"data": {}}, [], {"data": None}, {"data": [LINK]}, "<html>Just a moment...</html>"]
)
async def test_an_answer_that_names_nothing_leaves_the_training_uncertain(body: Any) -> None:
    with pytest.raises(Uncertain):
        await create(Answers(body))


@pytest.mark.parametrize("code", [404, 405, 410])
async def test_a_server_that_trains_no_more_says_so_and_nothing_was_charged(code: int) -> None:
    with pytest.raises(Withdrawn, match="no longer trains"):
        await create(Answers({"message": "NOT_FOUND"}, status=code))


@pytest.mark.parametrize(
    ("code", "body", "error", "sentence"),
    [
        (400, {"message": "IMAGES_MUST_BE_PAIRS"}, Refused, "IMAGES_MUST_BE_PAIRS"),
        (400, {"message": "INSUFFICIENT_CREDIT"}, Broken, "out of credits"),
        (402, {"message": "ERROR CODE"}, Broken, "out of credits: the admin"),
        (401, {"message": "UNAUTHORIZED"}, Broken, "did not accept the key"),
        (403, {"message": "FORBIDDEN"}, Broken, "did not accept the key"),
        (
            422,
            {"detail": [{"loc": ["body", "quantity"], "msg": "Too many", "type": "x"}]},
            Refused,
            "quantity: Too many",
        ),
        (429, {"message": "SLOW"}, Unavailable, "busy"),
        (503, {"message": "SLOW"}, Unavailable, "busy"),
        (500, {"message": "INSUFFICIENT_CREDIT"}, Uncertain, "failed after"),
        (504, "<html>", Uncertain, "failed after"),
    ],
)
async def test_an_order_that_fails_says_what_happens_next(
    code: int, body: Any, error: type[BotError], sentence: str
) -> None:
    orders: list[Callable[[Answers], Any]] = [create, generate]
    for order in orders:
        with pytest.raises(error, match=sentence) as failed:
            await order(Answers(body, status=code))
        assert type(failed.value) is error
        if isinstance(failed.value, Unavailable):
            assert failed.value.retry_after == 30


# How a training is going


@pytest.mark.parametrize(
    ("finetune", "asset", "expected"),
    [
        ({"data": [{"URL": LINK}, {"URL": LINK}]}, TROUBLE, Training(status=Status.READY, samples=(LINK, LINK))),
        ([LINK], TROUBLE, READY),
        ({"data": {"status": "success", "results": [LINK]}}, TROUBLE, READY),
        ({"data": {"status": "fail", "message": "Too\x1b dark"}}, TROUBLE, FAILED),
        ({"data": {"status": "cancel"}}, TROUBLE, Training(status=Status.FAILED)),
        ({"data": {"status": "processing_bullet", "progress_percentage": 37}}, None, RUNNING_37),
        ({"status": "queue_bullet"}, None, Training(status=Status.WAITING)),
        ({"data": {"status": "a word of 2027"}}, None, RUNNING),
        ({"data": []}, None, RUNNING),
        ({"data": []}, {"data": {"status": "success"}}, RUNNING),
        ({"data": []}, {"status": "fail", "error": "Too dark"}, FAILED),
        ({"data": None}, {"data": {"status": "success", "results": [LINK]}}, READY),
        ({"data": [7]}, None, RUNNING),
        (None, None, Training(status=Status.MISSING)),
        (None, {"data": {"status": "processing"}}, RUNNING),
        (None, {"data": {"status": "success"}}, Training(status=Status.MISSING)),
    ],
)
async def test_every_way_to_say_how_a_training_goes_is_understood(
    finetune: Any, asset: Any, expected: Training
) -> None:
    def answered(body: Any) -> tuple[int, Any]:
        return (404, {"message": "NOT_FOUND"}) if body is None else (500 if body is TROUBLE else 200, body)

    assert await status(Answers(finetune=answered(finetune), asset=answered(asset))) == expected


async def test_a_learned_edit_is_ready_by_its_assets_word_where_the_trigger_words_address_does_not_know_it() -> None:
    ref = REF.model_copy(update={"option": "FluxKontextFinetune"})
    answers = Answers(finetune=(404, {}), asset=(200, {"data": {"status": "success"}}))
    assert (await status(answers, ref)).status is Status.READY


async def test_a_question_that_is_turned_down_is_no_end_of_a_training() -> None:
    training = await status(Answers(finetune=(400, {"message": "NOT_READY"}), asset=(404, {})))
    assert training.status is Status.MISSING
    assert "NOT_READY" in training.reasons[0]
    with pytest.raises(Unavailable):
        await status(Answers(status=500))
    with pytest.raises(Broken, match="key"):
        await status(Answers(status=401))


async def test_a_trigger_word_that_is_told_late_is_found_by_the_asset() -> None:
    unnamed = REF.model_copy(update={"remote_id": "", "trigger": ""})
    running = Answers(asset=(200, {"data": {"id": "a-1", "status": "processing", "args": {}}}))
    assert await status(running, unnamed) == Training(status=Status.RUNNING)
    assert running.asked == ["GET /asset/a-1"]

    done = {"id": "a-1", "status": "success", "args": {"trigger_word": "LEO_ab12"}}
    ready = Answers(asset=(200, done), finetune=(200, {"data": [{"URL": LINK}]}))
    assert await status(ready, unnamed) == Training(status=Status.READY, samples=(LINK,), trigger="LEO_ab12")

    assert await status(Answers(asset=(404, {})), unnamed) == Training(status=Status.MISSING)
    failed = Answers(asset=(200, {"status": "fail", "message": "No"}))
    assert await status(failed, unnamed) == Training(status=Status.FAILED, reasons=("No",))


async def test_a_finished_training_without_any_trigger_word_is_for_a_human_who_sees_the_answer_without_secrets() -> (
    None
):
    unnamed = REF.model_copy(update={"remote_id": "", "trigger": ""})
    body = {
        "id": "a-1",
        "customer_id": "c-77",
        "status": "success",
        "args": {"lora_prefix": "LEO", "webhook_url": HOOK.url, "key": KEY, "prompt": "my private words"},
        "results": [LINK],
    }
    with pytest.raises(Broken, match="cannot find the trigger word") as failed:
        await status(Answers(asset=(200, {"data": body})), unnamed)
    message = str(failed.value)
    assert '"lora_prefix": "LEO"' in message
    assert not any(secret in message for secret in ("c-77", "bot.example", KEY, "private", "53c6eg9"))


async def test_names_go_into_addresses_as_values_whatever_is_in_them() -> None:
    answers = Answers(finetune=(404, {}), asset=(404, {}))
    await status(answers, REF.model_copy(update={"remote_id": "a/../b?c#d é", "task_id": "x/y"}))
    assert answers.asked == ["GET /finetune/a%2F..%2Fb%3Fc%23d%20%C3%A9", "GET /asset/x%2Fy"]


# What is sent, against the published document


def fits(value: str | tuple[str, str, bytes], schema: dict[str, Any]) -> bool:
    if isinstance(value, tuple):
        return "binary" in {schema.get("format"), cast("dict[str, Any]", schema.get("items", {})).get("format")}
    match schema["type"]:
        case "integer":
            return schema.get("minimum", 0) <= int(value) <= schema.get("maximum", 10_000)
        case "boolean":
            return value in {"true", "false"}
        case _:
            return value in schema.get("enum", [value])


async def test_what_is_sent_fits_the_published_document() -> None:
    answers = Answers({"data": {"id": "a-1", "results": ["LEO_ab12"]}})
    for wanted in (spec(parameters={"num_iterations": 0}), spec("vimmerse-flux-pro", TrainedSubject.STYLE), KONTEXT):
        await create(answers, wanted, HOOK)
    await generate(answers, a_lion(aspect_ratio="21:9", creativity_strength=10, enhance_image=False))
    await generate(answers, an_edit("softer"))

    for asked, media_type, form in zip(answers.asked, answers.types, answers.forms, strict=True):
        properties = load_properties(asked.removeprefix("POST "), media_type)
        for name, value in form:
            assert fits(value, properties[name]), (asked, name, value)
    words = load_properties("/finetune", "multipart/form-data")["option"]["description"]
    options = [each.option for each in trainer_entries.TRAINERS if each.provider == "vimmerse"]
    assert all(option and option in words for option in options)


def test_the_settings_offered_are_those_of_the_published_document() -> None:
    for model, media_type in zip(MODELS, ("application/x-www-form-urlencoded", "multipart/form-data"), strict=True):
        properties = load_properties(model.path, media_type)
        for parameter in model.parameters:
            theirs = properties[parameter.name]
            assert parameter.default == theirs.get("default")
            assert (parameter.minimum, parameter.maximum) == (theirs.get("minimum"), theirs.get("maximum"))
            assert all(f"'{ratio}'" in theirs.get("description", f"'{ratio}'") for ratio in parameter.choices)
        assert all(role.name in properties for role in model.roles)
