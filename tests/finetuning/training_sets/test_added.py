"""What is said of pictures that are added: how many are new, how many are there already, and what is refused."""

import pytest

from tests.conftest import MakeCommunity
from tests.finetuning.test_commands import a_draft, archive, by_form, caption, create, load_view, picture, press
from tests.scenes.community import Community, private


@pytest.fixture
async def studio(make_community: MakeCommunity) -> Community:
    return await make_community(trainers=["bfl"], training_duration=600.0)


async def add(community: Community, *files: tuple[str, bytes]) -> str:
    """The answer to a form that was sent with these files."""
    form = await press(community, "Add pictures")
    return private(await community.ada.submit_modal(form, {"pictures": list(files)}))


async def test_pictures_that_are_there_already_are_not_said_to_be_taken(studio: Community) -> None:
    await a_draft(studio)
    again = [picture(seed) for seed in range(3)]
    assert await add(studio, *again) == "Nothing was taken.\n3 pictures are in the training set already."
    assert await add(studio, picture(0), picture(7), picture(8)) == (
        "Taken: 2 pictures.\n1 picture is in the training set already."
    )
    assert len((await load_view(studio)).pictures) == 5


async def test_a_picture_that_is_given_twice_is_counted_once(studio: Community) -> None:
    await a_draft(studio)
    name, content = picture(7)
    assert await add(studio, (name, content), ("copy.jpg", content), ("c.pdf", b"x")) == (
        "Taken: 1 picture.\n1 picture is the same as another one that you gave.\n"
        "“c.pdf” is no JPEG, PNG, WebP, text file or ZIP."
    )


async def test_a_message_whose_pictures_are_there_already_says_so(studio: Community) -> None:
    await a_draft(studio)
    message = await studio.ben.send(studio.studio, "look", attachments=[picture(seed) for seed in range(3)])
    result = await studio.ada.context_menu(studio.studio, "Add to training set", message)
    assert private(result) == (
        "Training set of “Luna”: Nothing was taken.\n3 pictures are in the training set already."
    )


async def test_a_caption_that_comes_later_with_its_picture_is_taken(studio: Community) -> None:
    await a_draft(studio)
    form = await press(studio, "Add pictures")
    texts = [caption("picture-1.txt", "Luna on a sofa")]
    answer = private(await studio.ada.submit_modal(form, {"pictures": [picture(1)], "captions": texts}))
    assert answer == (
        "Taken: 1 caption for a picture that is there already.\n1 picture is in the training set already."
    )
    assert "Luna on a sofa" in [each.caption for each in (await load_view(studio)).pictures]


async def test_a_new_draft_says_which_of_its_pictures_were_given_twice(studio: Community) -> None:
    name, content = picture(1)
    result = await create(studio, archive=archive((name, content), ("copy.jpg", content), picture(2)))
    assert [each.content for each in result.followups] == [
        "Taken: 2 pictures.\n1 picture is the same as another one that you gave."
    ]
    assert len((await by_form(studio, {"pictures": [picture(3)]}, name="Sol")).pictures) == 1
