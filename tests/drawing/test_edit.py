"""`/edit` and its siblings: a picture changed as it is told, by upload or by what the bot made earlier."""

import io
from typing import Any

import pytest
from PIL import Image
from simcord import SetupError

from bot.workflows.community.models import editors
from tests.scenes.community import Community, buttons_of, job_of, private, text_of

UPLOAD = "house.png"
EDITORS = [model.key for model in editors()]


def photo(size: tuple[int, int] = (640, 480)) -> tuple[str, bytes]:
    content = io.BytesIO()
    Image.new("RGB", size, (30, 200, 30)).save(content, "PNG")
    return UPLOAD, content.getvalue()


async def edit(community: Community, **options: Any) -> None:
    await community.ben.slash(community.studio, "edit", instruction="make it night", **options)
    await community.clock.settle()


async def test_an_upload_is_edited_by_every_model_that_can(community: Community) -> None:
    for model in EDITORS:
        await edit(community, image=photo(), model=model, seed=5)
    tasks = {task.endpoint: task for task in community.bfl.tasks}
    await community.pass_time(40)
    for model, card in zip(EDITORS, community.cards, strict=True):
        task = tasks[model]
        assert (task.prompt, task.seed) == ("make it night", 5)
        with Image.open(io.BytesIO(community.bfl.archive.content(task.body["input_image"]))) as sent:
            assert sent.size == (640, 480)
        assert task.body["safety_tolerance"] <= 2
        assert card.attachments
        view = await community.view(job_of(card))
        assert view.cost == view.job.cost_estimated == round(task.cost * 10_000)


async def test_who_names_no_model_gets_kontext_pro_and_the_shape_stays(community: Community) -> None:
    await edit(community, image=photo())
    (task,) = community.bfl.tasks
    assert task.endpoint == "flux-kontext-pro"
    assert task.body["output_format"] == "jpeg"
    assert task.body["aspect_ratio"] is None, "the service keeps the shape of the picture that it is given"
    assert task.size[0] / task.size[1] == pytest.approx(640 / 480, abs=0.05)


async def test_another_shape_and_several_results_may_be_asked_for(community: Community) -> None:
    await edit(community, image=photo(), aspect_ratio="1:1", count=3, output_format="png", safety_tolerance=0)
    assert {task.body["aspect_ratio"] for task in community.bfl.tasks} == {"1:1"}
    assert {task.body["safety_tolerance"] for task in community.bfl.tasks} == {0}
    assert len({task.seed for task in community.bfl.tasks}) == 3


async def test_an_edit_never_goes_beyond_a_safety_tolerance_of_2(community: Community) -> None:
    await community.decide(safety_cap=6)
    with pytest.raises(SetupError):
        await edit(community, image=photo(), safety_tolerance=3)
    await community.imagine(model="flux-kontext-pro", reference=photo(), safety_tolerance=3)
    await edit(community, image=photo())
    assert [task.body["safety_tolerance"] for task in community.bfl.tasks] == [2, 2]


async def test_a_variation_of_a_kontext_picture_goes_no_further_either(community: Community) -> None:
    await community.decide(safety_cap=6)
    card = await community.drawn(model="flux-kontext-pro", safety_tolerance=3)
    assert community.bfl.tasks[0].body["safety_tolerance"] == 3
    await community.ben.click(card, label="Vary")
    await community.clock.settle()
    assert community.bfl.tasks[1].body["safety_tolerance"] == 2
    assert community.bfl.tasks[1].body["input_image"]


@pytest.mark.parametrize("pointed", ["id", "picture", "link"])
async def test_an_earlier_result_is_edited_and_the_new_one_knows_its_parent(community: Community, pointed: str) -> None:
    card = await community.drawn()
    job = job_of(card)
    await edit(community, of={"id": job, "picture": f"{job}-1", "link": card.jump_url}[pointed])
    await community.pass_time(20)
    result = community.cards[-1]
    assert "made from another picture" in text_of(result).lower()
    (image,) = (await community.view(job_of(result))).images
    assert image.parent_image_id == f"{job}-1"
    details = private(await community.ada.click(result, label="Details"))
    assert f"**Made from** `{job}-1`" in details
    (parent,) = (await community.view(job)).images
    assert community.bfl.tasks[1].body["input_image"] == f"sha256:{parent.sha256}", "the very bytes"


async def test_what_cannot_be_edited_is_said_in_private(community: Community) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "Say which picture: either attach an image, or name one of the bot's with “of”."),
        ({"image": photo(), "of": "abc-1"}, "Say which picture: either attach an image, or name one"),
        ({"of": "abc-1"}, "There is no request `abc` in this server."),
        ({"of": "???"}, "Give the id of a request"),
        ({"image": photo(), "model": "flux-dev"}, "That model does not edit pictures. Choose one from the list."),
        ({"image": photo(), "aspect_ratio": "0:0"}, "Aspect ratio must be a ratio such as 16:9"),
    ]
    for options, sentence in cases:
        answer = await community.ben.slash(community.studio, "edit", instruction="make it night", **options)
        assert sentence in private(answer)
    assert len(community.env.errors) == len(cases)
    assert community.cards == []
    assert community.files == []
    assert await community.counted("jobs") == 0


async def test_of_several_pictures_one_has_to_be_named(community: Community) -> None:
    job = job_of(await community.drawn(count=2))
    answer = private(await community.ben.slash(community.studio, "edit", instruction="x", of=job))
    assert answer == f"That request has 2 pictures. Say which: `{job}-1`, `{job}-2`."
    assert community.env.errors
    await edit(community, of=f"{job}-2")
    assert len(community.bfl.tasks) == 3


async def test_the_models_that_edit_are_offered_and_no_others(community: Community) -> None:
    choices = await community.ada.autocomplete(community.studio, "edit", "model", "")
    assert [choice["value"] for choice in choices] == EDITORS
    assert {"flux-kontext-pro", "flux-kontext-max"} <= set(EDITORS)


async def test_a_picture_stays_in_use_while_an_edit_of_it_waits(community: Community) -> None:
    await community.decide(confirm_above=50_000, moderator_role_id=community.role.id)
    card = await community.drawn(model="flux-2-pro")
    await edit(community, of=job_of(card), model="flux-kontext-max")
    question = community.cards[-1]
    await community.delete(card)
    await community.mia.click(question, label="Approve")
    await community.pass_time(20)
    assert community.cards[1].attachments
    assert "Cancel" not in buttons_of(community.cards[1])
