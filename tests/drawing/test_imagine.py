"""`/imagine` from the command to the posted picture, as a member sees it and as BFL gets it."""

import hashlib
import io
import re
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from bot.assembly.providers import lanes_of
from bot.cards.base.words import money
from bot.providers import catalogue
from bot.workflows.community.models import painters
from standins.bfl.catalogue import endpoints
from storage.base import queue
from tests.conftest import MakeCommunity
from tests.scenes.clock import START
from tests.scenes.community import Community, buttons_of, job_of, private, text_of

ENDPOINTS = endpoints(None)


def photo(size: tuple[int, int] = (1024, 768)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(content, "PNG")
    return content.getvalue()


def plain(model: str) -> dict[str, Any]:
    """What BFL makes of a request that says nothing but the prompt."""
    return ENDPOINTS[model].inputs.model_validate({"prompt": "a lighthouse"}).model_dump(mode="json")


SHAPE = {
    "flux-pro-1.1-ultra": {"aspect_ratio": "3:2"},
    "flux-kontext-pro": {"aspect_ratio": "3:2"},
    "flux-kontext-max": {"aspect_ratio": "3:2"},
    "flux-pro-1.1": {"width": 1248, "height": 832},
    "flux-dev": {"width": 1248, "height": 832},
}
FLUX_2_SHAPE = {"width": 1248, "height": 832}
UPSAMPLES = {"flux-pro-1.1-ultra", "flux-pro-1.1", "flux-dev", "flux-kontext-pro", "flux-kontext-max", "flux-2-flex"}
PICTURE_ROLE = {"flux-pro-1.1-ultra": "image_prompt", "flux-pro-1.1": "image_prompt", "flux-dev": "image_prompt"}
USUAL = {
    "flux-kontext-pro": {"aspect_ratio": "1:1", "output_format": "jpeg"},
    "flux-kontext-max": {"aspect_ratio": "1:1", "output_format": "jpeg"},
}
MODELS = [model.key for model in painters()]


async def test_a_member_sees_the_card_wait_be_drawn_and_become_the_pictures(community: Community) -> None:
    lanes = lanes_of(community.settings)
    async with community.app.database.write() as db:  # a quick worker would have ordered before the card is posted
        await queue.set_lanes(db, [replace(lane, size=0) for lane in lanes])
    result = await community.imagine(prompt="a lighthouse in a storm", count=2, seed=7)
    assert result.acknowledged
    assert not result.ephemeral
    waiting = text_of(community.card)
    assert waiting.startswith("### In the queue\n> a lighthouse in a storm\nNext in line")
    assert f"usually <t:{START + 10:.0f}:R>, seldom more than <t:{START + 18:.0f}:R>" in waiting
    assert "2 pictures · about $0.12" in waiting
    assert buttons_of(community.card).keys() == {"Cancel"}

    async with community.app.database.write() as db:
        await queue.set_lanes(db, lanes)
    community.app.services.kit.signals.wake()
    await community.pass_time(4)
    drawing = text_of(community.card)
    assert drawing.startswith("### Drawing\n> a lighthouse in a storm\n0 of 2 drawn")
    assert buttons_of(community.card) == {}

    await community.pass_time(10)
    done = text_of(community.card)
    assert done.startswith(f"### 2 pictures for <@{community.ada.id}>\n> a lighthouse in a storm")
    assert re.search(r"-# FLUX 1\.1 .* Ultra · seeds `7`, `8` · 1[01] s · \$0\.12\n", done)
    assert len(community.card.attachments) == 2
    assert sorted(task.seed for task in community.bfl.tasks) == [7, 8]
    assert community.bfl.credits == 10_000 - 12


@pytest.mark.parametrize("model", MODELS)
async def test_a_model_gets_exactly_what_was_asked_for_and_costs_what_was_said(
    community: Community, model: str
) -> None:
    options: dict[str, Any] = {"aspect_ratio": "3:2", "seed": 7, "safety_tolerance": 1, "output_format": "png"}
    if model in UPSAMPLES:
        options["prompt_upsampling"] = True
    if model == "flux-pro-1.1-ultra":
        options["raw"] = True
    await community.imagine(model=model, **options)
    await community.clock.settle()
    (task,) = community.bfl.tasks
    asked = {name: value for name, value in options.items() if name != "aspect_ratio"}
    assert task.endpoint == model
    assert task.body == plain(model) | asked | SHAPE.get(model, FLUX_2_SHAPE)

    price = money(round(task.cost * 10_000))
    assert f"about {price}" in text_of(community.card)
    await community.pass_time(40)
    assert f"· {price}\n" in text_of(community.card)
    view = await community.view(job_of(community.card))
    assert view.cost == view.job.cost_estimated == round(task.cost * 10_000)
    assert [image.media_type for image in view.images] == ["image/png"]


async def test_what_is_left_out_is_left_to_the_model_but_for_shape_and_format(community: Community) -> None:
    for model in MODELS:
        await community.imagine(model=model)
    await community.clock.settle()
    tasks = {task.endpoint: task for task in community.bfl.tasks}
    for model, card in zip(MODELS, community.cards, strict=True):
        task = tasks[model]
        usual = USUAL.get(model, {"width": 1024, "height": 1024} if model.startswith("flux-2") else {})
        assert task.body == plain(model) | usual | {"seed": task.seed, "safety_tolerance": 2}
        assert f"about {money(round(task.cost * 10_000))}" in text_of(card)


async def test_a_reference_reaches_every_model_as_a_picture_and_is_paid_for(community: Community) -> None:
    for model in MODELS:
        await community.imagine(model=model, reference=("me.png", photo()))
    await community.clock.settle()
    tasks = {task.endpoint: task for task in community.bfl.tasks}
    for model, card in zip(MODELS, community.cards, strict=True):
        task = tasks[model]
        mark = task.body[PICTURE_ROLE.get(model, "input_image")]
        with Image.open(io.BytesIO(community.bfl.archive.content(mark))) as image:
            assert image.size == (1024, 768)
        assert task.input_mp == 0.75
        job = text_of(card).rpartition("-# `")[2].partition("`")[0]
        assert (await community.view(job)).job.cost_estimated == round(task.cost * 10_000)


async def test_a_reference_counts_as_much_as_was_said(community: Community) -> None:
    await community.imagine(reference=("me.png", photo()), reference_strength=0.8)
    await community.clock.settle()
    (task,) = community.bfl.tasks
    assert task.body["image_prompt_strength"] == 0.8


async def test_what_a_model_does_not_take_is_refused_by_name(community: Community) -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("flux-dev", {"raw": True}, "FLUX.1 [dev] has no 'raw' setting."),
        ("flux-2-pro", {"prompt_upsampling": True}, "FLUX.2 [pro] has no 'prompt upsampling' setting."),
        ("flux-dev", {"reference": ("x.png", photo()), "reference_strength": 0.5}, "FLUX.1 [dev] has no"),
        ("flux-kontext-pro", {"aspect_ratio": "1:4"}, "between 7:3 and 3:7"),
        ("flux-pro-1.0-fill", {}, "FLUX.1 Fill [pro] does not draw from words. Choose one from the list."),
        ("flux-pro", {}, "FLUX.1 [pro] is not offered any more. Choose one from the list."),
        ("flux-1", {}, "There is no such model. Did you mean"),
    ]
    for model, options, sentence in cases:
        assert sentence in private(await community.imagine(model=model, **options))
    assert len(community.env.errors) == len(cases)
    assert community.cards == []
    assert community.ordered() == 0


async def test_every_model_is_offered_with_what_it_is_good_for_and_what_it_costs(community: Community) -> None:
    choices = await community.ada.autocomplete(community.studio, "imagine", "model", "")
    assert [choice["value"] for choice in choices] == MODELS
    for choice in choices:
        model = catalogue.find(choice["value"])
        assert model.label in choice["name"]
        assert money(model.price.first) in choice["name"]
        assert model.good_for[:30] in choice["name"]
    matching = await community.ada.autocomplete(community.studio, "imagine", "model", "letter")
    assert {choice["value"] for choice in matching} == {"flux-kontext-max", "flux-2-flex"}
    await community.decide(allowed_models=("flux-dev",))
    assert len(await community.ada.autocomplete(community.studio, "imagine", "model", "")) == 1


async def test_an_aspect_ratio_is_suggested_and_any_other_may_be_typed(community: Community) -> None:
    choices = await community.ada.autocomplete(community.studio, "imagine", "aspect_ratio", "16")
    assert [choice["value"] for choice in choices] == ["16:9"]
    choices = await community.ada.autocomplete(community.studio, "imagine", "aspect_ratio", "7:5")
    assert [choice["value"] for choice in choices] == ["7:5"]
    await community.imagine(aspect_ratio=" 7 / 5 ")
    await community.clock.settle()
    assert community.bfl.tasks[0].body["aspect_ratio"] == "7:5"


ASKED_IN_THE_FORM = {
    "flux-pro-1.1-ultra": ["prompt_upsampling", "safety_tolerance", "output_format"],
    "flux-dev": ["width", "height", "steps", "guidance", "prompt_upsampling"],
    "flux-2-flex": ["width", "height", "steps", "guidance", "prompt_upsampling"],
    "flux-2-pro": ["width", "height", "safety_tolerance", "output_format"],
    "flux-kontext-max": ["prompt_upsampling", "safety_tolerance", "output_format"],
}


async def test_the_form_asks_only_what_the_model_takes(community: Community) -> None:
    for model, asked in ASKED_IN_THE_FORM.items():
        opened = await community.imagine(model=model, advanced=True)
        assert opened.modal
        fields = [each["component"] for each in opened.modal["components"]]
        assert [field["custom_id"] for field in fields] == asked
        assert all(field["placeholder"] and not field["required"] for field in fields)


async def test_what_is_given_in_the_form_and_in_the_command_goes_together(community: Community) -> None:
    reference = ("me.png", photo())
    opened = await community.imagine(model="flux-dev", seed=3, advanced=True, reference=reference)
    given = {"width": "512", "height": "1024", "steps": "12", "guidance": "", "prompt_upsampling": "yes"}
    await community.ada.submit_modal(opened, given)
    await community.clock.settle()
    (task,) = community.bfl.tasks
    chosen = {"width": 512, "height": 1024, "steps": 12, "prompt_upsampling": True, "seed": 3}
    assert task.body == plain("flux-dev") | chosen | {"image_prompt": task.body["image_prompt"]}
    assert task.body["image_prompt"]


async def test_a_spoiler_is_hidden_until_it_is_clicked(community: Community) -> None:
    card = await community.drawn(spoiler=True)
    assert card.attachments[0].filename.startswith("SPOILER_")


async def test_the_bytes_that_are_posted_are_the_providers(community: Community) -> None:
    card = await community.drawn()
    posted = community.env.backend.cdn.get(card.attachments[0].url)
    assert posted
    (image,) = (await community.view(job_of(card))).images
    assert hashlib.sha256(posted).hexdigest() == image.sha256
    assert community.app.services.kit.files.path(image.sha256).read_bytes() == posted


@pytest.mark.parametrize("costs", [True, False])
async def test_where_the_service_names_no_price_the_estimate_counts(make_community: MakeCommunity, costs: bool) -> None:
    community = await make_community()
    community.bfl.quirks.costs = costs
    card = await community.drawn(model="flux-2-pro")
    assert "· $0.03\n" in text_of(card)
