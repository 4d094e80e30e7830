"""What members may ask for, what it costs, and whether it is what BFL's own documents say."""

import json
from typing import Any

import pytest

from bot.errors import Broken, Refused
from bot.providers import catalogue
from bot.providers.bfl.client import request_body
from bot.providers.bfl.models import MODELS
from bot.providers.interface import FinetuneRef, Generation
from bot.providers.parameters import Kind, Model, Parameter, Value, ratio_of
from tests import SPECS

EVERY_MODEL = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.key)
FINETUNE = FinetuneRef(provider="bfl", remote_id="6fc5e628-6f56", region="us1", trigger="TOK")


def asked(model: str = "flux-pro-1.1", prompt: str = "a cat", **parameters: Value) -> Generation:
    return Generation(model=model, prompt=prompt, parameters=parameters)


def least(model: Model) -> Generation:
    """The least that can be asked of a model."""
    return Generation(
        model=model.key,
        prompt="a cat",
        parameters={"left": 64} if model.parameter("left") else {},
        inputs={role.name: "5e" * 32 for role in model.roles if role.required},
        finetune=FINETUNE if model.finetuned else None,
    )


@EVERY_MODEL
def test_every_model_can_be_asked_in_plain_words_for_what_it_needs_and_no_more(model: Model) -> None:
    checked = catalogue.check(least(model))

    assert catalogue.check(checked) == checked
    assert checked.parameters["output_format"] == "jpeg"
    assert checked.parameters.keys() <= {"output_format", "left", "aspect_ratio", "width", "height"}
    assert catalogue.estimate(checked) > 0
    assert model.path == f"/v1/{model.key}"
    assert model.good_for.endswith(".")
    assert len(model.good_for) < 100, "one line of a select menu"
    assert all(parameter.help.endswith(".") for parameter in model.parameters)
    assert model.seconds.p10 < model.seconds.p50 < model.seconds.p90


@EVERY_MODEL
def test_every_default_and_both_ends_of_every_range_are_accepted_and_what_is_beyond_is_not(model: Model) -> None:
    for parameter in model.parameters:
        accepted = [parameter.default, parameter.minimum, parameter.maximum, *parameter.choices]
        for value in accepted:
            if value is not None:
                assert parameter.read(value) == value
        refused: list[Value] = ["", "much", float("nan"), float("inf")]
        if parameter.minimum is not None and parameter.maximum is not None:
            refused += [parameter.minimum - 1, parameter.maximum + 1, True]
        if parameter.multiple_of > 1 and parameter.minimum is not None:
            refused.append(parameter.minimum + 1)
        for value in refused:
            with pytest.raises(Refused, match=parameter.label):
                parameter.read(value)


@pytest.mark.parametrize(
    ("generation", "sentence"),
    [
        (asked(width=1000), "Width must be a multiple of 32 between 256 and 1440."),
        (asked(seed=-1), "Seed must be a whole number between 0 and 4294967295."),
        (asked(seed=2**32), "Seed must be a whole number between 0 and 4294967295."),
        (asked(seed=1.5), "Seed must be a whole number between 0 and 4294967295."),
        (asked(safety_tolerance=7), "Safety tolerance must be a whole number between 0 and 6."),
        (asked("flux-2-pro", safety_tolerance=6), "Safety tolerance must be a whole number between 0 and 5."),
        (asked("flux-pro", guidance=1), "Guidance must be a number between 1.5 and 5."),
        (asked(output_format="gif"), "File format must be jpeg or png or webp."),
        (asked("flux-pro", output_format="webp"), "File format must be jpeg or png."),
        (asked(prompt_upsampling="maybe"), "Prompt upsampling must be yes or no."),
        (
            asked("flux-pro-1.1-ultra", aspect_ratio="22:9"),
            "Aspect ratio must be a ratio such as 16:9, between 21:9 and 9:21.",
        ),
        (
            asked("flux-kontext-pro", aspect_ratio="3:8"),
            "Aspect ratio must be a ratio such as 16:9, between 7:3 and 3:7.",
        ),
        (asked(aspect_ratio="0:0"), "Aspect ratio must be a ratio such as 16:9, between 21:9 and 9:21."),
        (asked(aspect_ratio="1:0"), "Aspect ratio must be a ratio such as 16:9, between 21:9 and 9:21."),
        (asked(aspect_ratio="1:1", width=1024), "Give either an aspect ratio, or a width and a height."),
        (asked(negative_prompt="dogs"), "FLUX 1.1 [pro] has no 'negative prompt' setting."),
        (asked(raw=True), "FLUX 1.1 [pro] has no 'raw' setting."),
        (asked("flux-2-pro", width=1024), "Give both a width and a height."),
        (asked("flux-2-pro", width=2064, height=2048), "FLUX.2 [pro] draws at most 4 megapixels: make it smaller."),
        (asked(prompt=" \n\t"), "Say what to draw: the prompt is empty."),
        (asked(prompt="x" * 2501), "The prompt has 2,501 characters; FLUX 1.1 [pro] reads at most 2,500."),
        (asked("flux-pro-1.1-finetuned"), "There is no such model. Did you mean flux-pro-finetuned?"),
        (asked("flux-pro-finetuned"), "FLUX.1 [pro] with a finetune needs a finetune: choose one."),
        (
            asked("flux-pro").model_copy(update={"finetune": FINETUNE}),
            "FLUX.1 [pro] does not draw with a finetune: choose FLUX.1 [pro] with a finetune.",
        ),
        (
            asked("flux-2-pro").model_copy(update={"finetune": FINETUNE}),
            "FLUX.2 [pro] does not draw with a finetune: choose a model that can.",
        ),
        (asked().model_copy(update={"inputs": {"mask": "5e"}}), "FLUX 1.1 [pro] takes at most 1 image."),
        (
            asked("flux-pro-1.0-canny"),
            "FLUX.1 Canny [pro] needs an image: The image whose shapes to keep.",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_one_sentence_that_says_what_can(
    generation: Generation, sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        catalogue.check(generation)
    assert str(refused.value) == sentence


def test_an_expansion_has_to_go_somewhere() -> None:
    expansion = Generation(model="flux-pro-1.0-expand", prompt="", parameters={"top": 0}, inputs={"image": "5e"})
    with pytest.raises(Refused, match="at least one edge"):
        catalogue.check(expansion)
    assert catalogue.check(expansion.model_copy(update={"parameters": {"top": 8}})).prompt == ""


def test_a_finetune_is_used_where_it_lives() -> None:
    ask = Generation(model="flux-pro-finetuned", prompt="TOK", finetune=FINETUNE)
    assert catalogue.check(ask).finetune == FINETUNE
    with pytest.raises(Refused, match="elsewhere"):
        catalogue.check(ask.model_copy(update={"finetune": FinetuneRef(provider="astria", remote_id="1")}))
    with pytest.raises(Broken, match="us1 or eu1"):
        catalogue.check(ask.model_copy(update={"finetune": FinetuneRef(provider="bfl", remote_id="1", region="eu")}))


def test_what_a_member_typed_is_understood_in_its_own_type() -> None:
    checked = catalogue.check(
        asked(
            "flux-pro", "  a cat ", seed="42", guidance="3", prompt_upsampling="Yes", output_format=" PNG ", steps=30.0
        )
    )

    assert checked.prompt == "a cat"
    assert checked.parameters == {
        "seed": 42,
        "guidance": 3.0,
        "prompt_upsampling": True,
        "output_format": "png",
        "steps": 30,
    }
    assert type(checked.parameters["steps"]) is int
    assert catalogue.check(asked("flux-pro-1.1-ultra", aspect_ratio=" 16 : 9 ")).parameters["aspect_ratio"] == "16:9"


def test_kontext_is_no_more_lenient_than_the_service_once_there_is_an_image() -> None:
    edit = asked("flux-kontext-pro", safety_tolerance=6)
    assert catalogue.check(edit).parameters["safety_tolerance"] == 6
    edit = edit.model_copy(update={"inputs": {"input_image": "5e", "input_image_2": "5f"}})
    assert catalogue.check(edit).parameters == {"safety_tolerance": 2, "output_format": "jpeg"}


@pytest.mark.parametrize("model", [model for model in MODELS if model.sized], ids=lambda model: model.key)
@pytest.mark.parametrize("ratio", ["1:1", "16:9", "9:16", "21:9", "9:21", "3:2", "4:5", "1344:768"])
def test_an_aspect_ratio_becomes_a_size_that_the_model_accepts(model: Model, ratio: str) -> None:
    ask = least(model)
    checked = catalogue.check(ask.model_copy(update={"parameters": {"aspect_ratio": ratio}}))

    width, height = checked.parameters["width"], checked.parameters["height"]
    wanted = ratio_of(ratio)
    assert isinstance(width, int)
    assert isinstance(height, int)
    assert wanted
    assert abs(width / height / wanted - 1) < 0.04
    assert 0.8 * 2**20 <= width * height <= 2**20, "one megapixel, and not a pixel more to pay for"
    assert "aspect_ratio" not in checked.parameters


@pytest.mark.parametrize(
    ("generation", "input_megapixels", "cents"),
    [
        (asked("flux-pro-1.1-ultra"), 0, 6),
        (asked("flux-dev"), 0, 2.5),
        (asked("flux-kontext-max"), 4, 8),
        (asked("flux-2-pro"), 0, 3),
        (asked("flux-2-pro", width=2048, height=2048), 0, 3 + 3 * 1.5),
        (asked("flux-2-pro", width=1024, height=1024), 1.2, 3 + 2 * 1.5),
        (asked("flux-2-pro").model_copy(update={"inputs": {"input_image": "5e"}}), 2, 3 + 1 * 1.5 + 2 * 1.5),
        (asked("flux-2-max", width=1040, height=1024), 0, 7 + 3),
        (asked("flux-2-klein-4b"), 0, 1.4),
    ],
)
def test_an_estimate_is_the_price_list_applied(generation: Generation, input_megapixels: float, cents: float) -> None:
    estimated = catalogue.estimate(catalogue.check(generation), input_megapixels=input_megapixels)
    assert estimated == round(cents * 10_000)


def test_the_request_holds_what_was_asked_for_and_nothing_else() -> None:
    generation = catalogue.check(
        Generation(model="flux-pro-finetuned", prompt="TOK", inputs={"image_prompt": "5e"}, finetune=FINETUNE)
    )

    assert request_body(generation, {"image_prompt": b"\xff\xd8"}) == {
        "prompt": "TOK",
        "output_format": "jpeg",
        "image_prompt": b"\xff\xd8",
        "finetune_id": "6fc5e628-6f56",
    }
    with pytest.raises(Broken):
        request_body(generation, {})
    with pytest.raises(Refused, match="20 MB"):
        request_body(generation, {"image_prompt": bytes(20_000_001)})


def test_choices_are_those_that_the_service_still_offers_unless_more_is_wanted() -> None:
    usual = {model.key for model in catalogue.offered()}
    assert {"flux-pro-1.1-ultra", "flux-dev", "flux-2-pro"} <= usual
    assert not usual & {"flux-pro", "flux-pro-1.1-ultra-finetuned"}
    assert "flux-pro" in {model.key for model in catalogue.offered(withdrawn=True)}
    assert {model.key for model in catalogue.offered(finetuned=True)} == {
        "flux-pro-1.1-ultra-finetuned",
        "flux-pro-1.0-fill-finetuned",
        "astria-flux",
        "vimmerse-flux",
        "vimmerse-kontext",
    }
    assert {pool.name: pool.slots for pool in catalogue.find("flux-kontext-max").pools} == {
        "bfl": 24,
        "bfl-kontext-max": 6,
    }


# What the catalogue leaves to others: callbacks, the finetune, a pre-made edge or depth map, an internal path.
NOT_FOR_MEMBERS = {
    "prompt",
    "webhook_url",
    "webhook_secret",
    "finetune_id",
    "preprocessed_image",
    "input_image_blob_path",
}


@pytest.mark.skipif(not SPECS.exists(), reason="BFL's OpenAPI documents are not beside this checkout")
@EVERY_MODEL
def test_the_catalogue_says_what_the_services_own_documents_say(model: Model) -> None:
    old, new = (json.loads((SPECS / f"bfl-{date}.openapi.json").read_text()) for date in ("2025-02", "2026-04"))
    assert model.withdrawn == (model.path not in new["paths"])
    document = old if model.withdrawn else new
    operation = document["paths"][model.path]["post"]["requestBody"]
    schema = _resolve(document, operation["content"]["application/json"]["schema"])
    fields = {name: _resolve(document, schema["properties"][name]) for name in schema["properties"]}

    images = {name for role in model.roles for name in role.names}
    ours = {parameter.name for parameter in model.parameters}
    assert ours | images == fields.keys() - NOT_FOR_MEMBERS
    assert {role.name for role in model.roles if role.required} >= images & set(schema.get("required", ()))
    for parameter in model.parameters:
        _compare(model, parameter, fields[parameter.name])


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without references and null alternatives, its default and description kept."""
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return {**_resolve(document, choice), **{name: schema[name] for name in schema.keys() & {"default"}}}
    if "$ref" in schema:
        target = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return {**target, **{name: schema[name] for name in schema.keys() & {"default"}}}
    return schema


def _compare(model: Model, parameter: Parameter, field: dict[str, Any]) -> None:
    kinds = {"integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}
    flux_2_size = model.most_megapixels is not None and parameter.name in {"width", "height"}
    if parameter.kind in kinds.values():
        assert kinds[field["type"]] is parameter.kind
        if parameter.name != "seed":  # the documents name no range
            assert parameter.minimum == field.get("minimum")
            assert flux_2_size or parameter.maximum == field.get("maximum")
            assert flux_2_size or parameter.multiple_of == field.get("multipleOf", 1)
    if parameter.kind is Kind.CHOICE:
        assert list(parameter.choices) == field["enum"]
    kontext = model.usual_shape is not None and parameter.name in {"output_format", "aspect_ratio"}
    if not flux_2_size and not kontext:  # always sent, since servers differ
        assert parameter.default == field.get("default")
