"""What the buttons and forms promise: they never die, never answer twice, and a failure is one private sentence."""

import json
import logging
from typing import Any

import discord
import pytest
from discord import ui

from bot.cards.base.layout import compose, row
from bot.discord.buttons import (
    PATTERN,
    Answer,
    Form,
    Interaction,
    Press,
    PressButton,
    button,
    custom_ids,
    mark_answered,
    read_fields,
)
from bot.errors import Refused
from tests import ROOT
from tests.scenes.community import Community, text_of

RELEASED: dict[str, list[str]] = json.loads((ROOT / "tests" / "golden" / "custom_ids.json").read_text())


async def post(community: Community, *buttons: PressButton) -> discord.Message:
    """A message of the bot with these buttons."""
    view = compose(row(buttons)).view
    return await community.app.client.get_partial_messageable(community.studio.id).send(view=view)


def answer(community: Community, verb: str, *, text: str = "Done.", how: Answer = Answer.PRIVATE) -> list[str]:
    """Register a verb that says `text`; the subjects that it was pressed with."""
    pressed: list[str] = []

    async def run(interaction: Interaction, subject: str) -> None:
        pressed.append(subject)
        await interaction.edit_original_response(content=text)

    community.app.client.presses.register(verb, Press(run, how))
    return pressed


@pytest.mark.parametrize("custom_id", [each for ids in RELEASED.values() for each in ids])
async def test_every_custom_id_ever_released_is_still_answered(community: Community, custom_id: str) -> None:
    match = PATTERN.fullmatch(custom_id)
    assert match
    assert match["verb"] in community.app.client.presses.verbs


async def test_every_verb_has_its_place_among_the_released_ones(community: Community) -> None:
    released = {custom_id.split(":", 1)[1].rsplit(":", 1)[0] for ids in RELEASED.values() for custom_id in ids}
    verbs = {":".join(each.split(":")[:2]) for each in released}
    assert community.app.client.presses.verbs == verbs


@pytest.mark.parametrize(
    "custom_id",
    ["", "1:img:again:", "2:img:again:x", "1:img:again:x y", "1:IMG:again:x", "1:img:again:" + "x" * 81, "img:again:x"],
)
def test_an_id_of_another_shape_is_none_of_ours(custom_id: str) -> None:
    assert PATTERN.fullmatch(custom_id) is None


def test_a_button_that_discord_could_not_carry_cannot_be_made() -> None:
    with pytest.raises(AssertionError):
        button("img:again", "no spaces, please")


async def test_a_button_still_works_after_a_restart(community: Community) -> None:
    message = await post(community, button("tst:go", "7", "Go"))
    await community.restart()
    pressed = answer(community, "tst:go")

    result = await community.ben.click(message, label="Go")

    assert pressed == ["7"]
    assert result.ephemeral
    assert result.response
    assert result.response.content == "Done."


async def test_a_button_of_a_newer_bot_says_so(community: Community) -> None:
    message = await post(community, button("tst:unknown", "7", "Go"))
    result = await community.ben.click(message, label="Go")
    assert result.ephemeral
    assert result.response
    assert "newer version" in result.response.content


@pytest.mark.parametrize("how", [Answer.PRIVATE, Answer.PUBLIC, Answer.SILENT, Answer.FORM])
async def test_a_refusal_is_one_private_sentence_and_leaves_nothing_in_the_channel(
    community: Community, how: Answer
) -> None:
    async def refuse(_interaction: Interaction, _subject: str) -> None:
        raise Refused("Not today.")

    community.app.client.presses.register("tst:no", Press(refuse, how))
    message = await post(community, button("tst:no", "7", "Go"))

    result = await community.ben.click(message, label="Go")

    replies = [result.response, *result.followups] if how in {Answer.PRIVATE, Answer.FORM} else result.followups
    assert [(each.content, each.ephemeral) for each in replies if each] == [("Not today.", True)]
    assert [each.id for each in community.cards] == [message.id]


async def test_a_refusal_after_the_answer_has_become_a_card_leaves_the_card_alone(community: Community) -> None:
    async def settle_and_refuse(interaction: Interaction, _subject: str) -> None:
        await interaction.edit_original_response(view=compose(row([button("tst:no", "8", "A card")])).view)
        mark_answered(interaction)
        raise Refused("Not today.")

    community.app.client.presses.register("tst:no", Press(settle_and_refuse, Answer.PUBLIC))
    message = await post(community, button("tst:no", "7", "Go"))

    result = await community.ben.click(message, label="Go")

    assert [(each.content, each.ephemeral) for each in result.followups] == [("Not today.", True)]
    assert [text_of(each) for each in community.cards] == ["Go", "A card"]


def test_the_ids_of_buttons_are_found_however_deep() -> None:
    section = ui.Section[Any]("Beside", accessory=ui.Button[Any](label="A", custom_id="a"))
    inside = ui.Container[Any](section, ui.ActionRow[Any](ui.Button[Any](label="B", custom_id="b")))
    assert list(custom_ids([inside, ui.Button[Any](label="C", custom_id="c")])) == ["a", "b", "c"]


async def test_a_bug_is_answered_with_an_id_to_quote_and_logged(
    community: Community, caplog: pytest.LogCaptureFixture
) -> None:
    async def stumble(_interaction: Interaction, _subject: str) -> None:
        raise ZeroDivisionError

    community.app.client.presses.register("tst:bug", Press(stumble))
    message = await post(community, button("tst:bug", "7", "Go"))

    with caplog.at_level(logging.ERROR, "bot.discord.buttons"):
        result = await community.ben.click(message, label="Go")

    assert result.response
    assert "Please quote" in result.response.content
    assert "A bug in 1:tst:bug:7" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_form_is_answered_exactly_once_also_after_a_restart(community: Community, restarted: bool) -> None:
    sent: list[tuple[int, str, dict[str, str]]] = []

    async def open_form(interaction: Interaction, subject: str) -> None:
        form = Form("tst:sent", subject, "A form")
        form.ask("word", "Say a word", ui.TextInput[Form]())
        form.ask("colour", "And a colour", ui.Select[Form](options=[discord.SelectOption(label="Red", value="red")]))
        await interaction.response.send_modal(form)

    async def take(interaction: Interaction, subject: str) -> None:
        sent.append((interaction.user.id, subject, read_fields(interaction)))
        await interaction.edit_original_response(content="Thank you.")

    def register() -> None:
        community.app.client.presses.register("tst:open", Press(open_form, Answer.FORM))
        community.app.client.presses.register("tst:sent", Press(take))

    register()
    message = await post(community, button("tst:open", "7", "Open"))
    by_ada = await community.ada.click(message, label="Open")
    by_ben = await community.ben.click(message, label="Open")
    if restarted:
        await community.restart()
        register()

    await community.ben.submit_modal(by_ben, {"word": "dusk", "colour": ["red"]})
    result = await community.ada.submit_modal(by_ada, {"word": "dawn", "colour": ["red"]})

    assert sent == [
        (community.ben.id, "7", {"word": "dusk", "colour": "red"}),
        (community.ada.id, "7", {"word": "dawn", "colour": "red"}),
    ]
    assert result.response
    assert result.response.content == "Thank you."
