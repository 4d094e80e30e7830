"""Discord replaces letters in the names of files, and says the true name in the title. Captions go by the true one."""

import pytest

from bot.discord.attachments import full_name
from cogs.finetuning.training_sets import shortened
from standins.discord.state import Attachment, upload
from tests.conftest import MakeCommunity
from tests.finetuning.test_commands import archive, by_form, caption, create, load_view, picture
from tests.pictures.test_pictures import png
from tests.scenes.community import Community


@pytest.fixture
async def studio(make_community: MakeCommunity) -> Community:
    return await make_community(trainers=["bfl"], training_duration=600.0)


@pytest.mark.parametrize(
    ("filename", "title", "name"),
    [
        ("owl.jpg", None, "owl.jpg"),
        ("_.jpg", "白い梟", "白い梟.jpg"),
        ("_.jpg", "白い梟.jpg", "白い梟.jpg"),
        ("_.JPG", "Käuzchen 1.2", "Käuzchen 1.2.JPG"),
        ("_", "梟", "梟"),
        ("owl.jpg", "", "owl.jpg"),
    ],
)
def test_the_true_name_is_the_title_with_the_ending(filename: str, title: str | None, name: str) -> None:
    assert full_name(filename, title) == name


PICTURES = [picture(1, "白い梟.jpg"), picture(2, "黒い梟.jpg")]
CAPTIONS = [caption("黒い梟.txt", "a black owl"), caption("白い梟.txt", "a white owl")]
TOGETHER = [("白い梟.jpg", "a white owl"), ("黒い梟.jpg", "a black owl")]


async def test_captions_of_a_form_go_to_their_own_owls(studio: Community) -> None:
    view = await by_form(studio, {"pictures": PICTURES, "captions": CAPTIONS})

    assert [(each.name, each.caption) for each in view.pictures] == TOGETHER


async def test_captions_of_a_message_go_to_their_own_owls(studio: Community) -> None:
    message = await studio.ben.send(studio.studio, "look", attachments=[*PICTURES, *CAPTIONS])

    await create(studio, links=message.jump_url)

    assert [(each.name, each.caption) for each in (await load_view(studio)).pictures] == TOGETHER


async def test_what_a_zip_cannot_give_is_said_and_the_rest_is_taken(studio: Community) -> None:
    bad = ("bad.png", png(40, 30, colour=3))  # no palette
    given = archive(picture(1, "a.jpg"), bad, picture(2, "b.jpg_large"), ("notes.pdf", b"%PDF-1.7"))

    result = await create(studio, archive=given)

    assert [each.name for each in (await load_view(studio)).pictures] == ["a.jpg", "b.jpg"]
    (answer,) = [each for each in result.followups if each.ephemeral]
    assert "“notes.pdf” in “set.zip” is neither" in answer.content
    assert "“bad.png” cannot be used: it has no palette" in answer.content


def test_the_local_discord_replaces_letters_too() -> None:
    owl = upload("白い梟 1.jpg", b"owl")

    assert (owl.filename, owl.title) == ("_1.jpg", "白い梟 1")
    assert upload("owl-1.jpg", b"owl").title is None
    assert Attachment(1, owl, "https://cdn/owl").payload(0.0)["title"] == "白い梟 1"


def test_what_does_not_fit_into_an_answer_is_counted() -> None:
    lines = [f"“{number}.jpg” cannot be used: it is damaged or cut short." for number in range(60)]

    text = shortened(["Taken: 1 picture.", "\n".join(lines)])

    assert len(text) <= 2000
    assert text.splitlines()[-1] == f"… and {60 - (len(text.splitlines()) - 2)} more lines."
