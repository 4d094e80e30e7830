"""Deleting pictures: asked first, with what is lost and what stays public."""

import discord
import pytest

from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, job_of, private, text_of
from tests.scenes.registering import approve_registration, draft_registration, submit_registration


async def ask(community: Community, card: discord.Message) -> discord.Message:
    """The question that a press of Delete is answered with, which only the presser sees."""
    asked = await community.ada.click(card, label="Delete")
    assert asked.response
    assert asked.response.ephemeral
    return asked.response.message


async def test_delete_asks_first_and_says_what_is_lost(community: Community) -> None:
    card = await community.drawn(count=2)
    question = await ask(community, card)
    shown = text_of(question)
    assert "Delete these pictures?" in shown
    assert "Gone for good, here and on the bot's disk: its 2 pictures." in shown
    assert "Nothing is paid back." in shown
    assert "registered" not in shown
    assert "Dismiss this message to keep everything." in shown
    assert [*buttons_of(question)] == ["Delete for good"]
    assert len(community.files) == 2
    assert len(community.card.attachments) == 2


async def test_who_confirms_is_told_that_it_is_done(community: Community) -> None:
    card = await community.drawn()
    answer = await community.ada.click(await ask(community, card), label="Delete for good")
    assert answer.response
    assert "The picture is gone." in text_of(answer.response.message)
    assert community.files == []
    assert "deleted by their owner" in text_of(community.card)
    again = await community.ada.click(card, label="Delete") if "Delete" in buttons_of(community.card) else None
    assert again is None


async def test_a_copy_of_the_card_goes_with_its_pictures(community: Community) -> None:
    card = await community.drawn()
    await community.ada.slash(community.review, "show", job=job_of(card))
    (copy,) = community.review.history()
    await community.delete(copy)
    assert community.review.history() == []
    assert "Deleted" in text_of(community.card)


async def test_the_right_to_delete_is_looked_at_again_when_it_is_confirmed(community: Community) -> None:
    await community.decide(moderator_role_id=community.role.id)
    card = await community.drawn()
    asked = await community.mia.click(card, label="Delete")
    assert asked.response
    await community.decide(moderator_role_id=None)
    refused = await community.mia.click(asked.response.message, label="Delete for good")
    assert private(refused) == f"Only <@{community.ada.id}> and the moderators can delete this."
    assert community.env.errors is not None
    assert len(community.files) == 1


@pytest.mark.parametrize(
    ("how_far", "sentence"),
    [
        ("draft", "A registration that was begun and not submitted can be submitted no more."),
        ("submitted", "A registration of it is under way, and deleting does not stop that.** “Withdraw” on its card"),
        ("registered", "It is registered as IP and stays public for good:** the file on IPFS, its licence on Story"),
    ],
)
async def test_what_is_registered_is_said_to_stay_public(
    make_community: MakeCommunity, how_far: str, sentence: str
) -> None:
    community = await make_community(story={})
    card = await community.drawn()
    image_id = f"{job_of(card)}-1"
    if how_far == "draft":
        await draft_registration(community, image_id)
    else:
        registration_id = await submit_registration(community, image_id)
        if how_far == "registered":
            await approve_registration(community, registration_id)
    assert sentence in text_of(await ask(community, card))
