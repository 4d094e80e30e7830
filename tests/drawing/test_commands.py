"""What members and moderators do with finished pictures, as they see it."""

import re
from typing import Any

import discord
import pytest
from simcord import ChannelHandle, MemberActor

from storage.drawing.images import Image
from storage.reviewing import reviews
from tests.scenes.community import Community, buttons_of, job_of, private, text_of


async def draw_picture(community: Community, **options: Any) -> discord.Message:
    """Ada's finished request, as it stands in the studio."""
    await community.imagine(**options)
    await community.clock.settle()
    await community.pass_time(15)
    (card,) = community.cards
    assert card.attachments, text_of(card)
    return card


async def images_of(community: Community, card: discord.Message) -> list[Image]:
    return (await community.view(job_of(card))).images


async def test_a_picked_picture_is_posted_by_itself(community: Community) -> None:
    card = await draw_picture(community, count=2)
    await community.ben.click(card, label="Pick 2")
    picked = community.cards[-1]
    assert len(picked.attachments) == 1
    assert f"{job_of(card)}-2" in text_of(picked)


async def test_a_variation_knows_its_parent(community: Community) -> None:
    card = await draw_picture(community)
    await community.ben.click(card, label="Vary")
    view = await community.newest()
    (parent,) = await images_of(community, card)
    assert view.request.parent_image_id == parent.id
    assert view.request.inputs == {"image_prompt": parent.sha256}
    assert view.job.owner_id == community.ben.id


async def test_an_edit_is_asked_for_in_a_form(community: Community) -> None:
    card = await draw_picture(community)
    form = await community.ben.click(card, label="Edit")
    await community.ben.submit_modal(form, {"instruction": "make it night", "model": ["flux-kontext-max"]})
    view = await community.newest()
    (parent,) = await images_of(community, card)
    assert (view.request.prompt, view.request.model) == ("make it night", "flux-kontext-max")
    assert view.request.parent_image_id == parent.id


async def test_a_new_prompt_keeps_the_other_settings(community: Community) -> None:
    card = await draw_picture(community, aspect_ratio="3:2", seed=7)
    form = await community.ada.click(card, label="Edit prompt")
    await community.ada.submit_modal(form, {"prompt": "a windmill"})
    view = await community.newest()
    assert (view.request.prompt, view.request.seed) == ("a windmill", None)
    assert view.request.parameters["aspect_ratio"] == "3:2"


async def test_only_the_owner_and_moderators_delete(community: Community) -> None:
    await community.decide(moderator_role_id=community.role.id)
    card = await draw_picture(community)
    (image,) = await images_of(community, card)

    assert private(await community.ben.click(card, label="Delete")).startswith(f"Only <@{community.ada.id}> and")
    assert community.app.services.kit.files.path(image.sha256).exists()

    await community.delete(card, community.mia)
    assert not community.app.services.kit.files.path(image.sha256).exists()
    (left,) = community.cards
    assert left.id == card.id
    assert not left.attachments
    assert "Deleted" in text_of(left)


async def test_what_was_deleted_cannot_be_shown_or_picked_again(community: Community) -> None:
    card = await draw_picture(community)
    (image,) = await images_of(community, card)
    await community.ben.click(card, label="Again")
    await community.ada.slash(community.review, "show", job=image.id)
    copy = community.review.history()[-1]
    await community.delete(card)
    result = await community.ben.click(copy, label="Vary")
    assert ["not there any more" in each.content for each in result.followups] == [True]


async def test_who_may_delete_messages_only_elsewhere_does_not_delete(community: Community) -> None:
    card = await draw_picture(community)
    his = community.guild.create_text_channel(
        "his", overwrites={community.ben: discord.PermissionOverwrite(manage_messages=True)}
    )
    await community.ben.slash(his, "show", job=job_of(card))
    copy = his.history()[-1]

    answer = private(await community.ben.click(copy, label="Delete"))
    assert answer == f"Only <@{community.ada.id}> and the moderators can delete this."
    assert len(community.files) == 1

    await community.ada.slash(his, "imagine", prompt="a fox")
    await community.pass_time(20)
    await community.ben.slash(community.studio, "show", job=job_of(his.history()[-1]))
    await community.delete(community.cards[-1], community.ben)
    assert "Deleted" in text_of(his.history()[-1])
    assert len(community.files) == 1


async def test_who_deletes_what_discord_keeps_showing_is_told_to_press_again(community: Community) -> None:
    card = await draw_picture(community)
    community.env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50013, times=1)
    answer = await community.delete(card)
    assert "The pictures are deleted, but Discord did not let the message be changed: press Delete again." in answer
    assert community.card.attachments
    await community.delete(card)
    assert not community.card.attachments


async def test_a_moderator_who_cancels_is_the_one_who_withdrew_the_question(community: Community) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id)
    await community.imagine()
    await community.clock.settle()
    card, question = community.cards
    await community.mia.click(card, label="Cancel")
    assert f"Withdrawn by <@{community.mia.id}>" in text_of(community.cards[1])
    assert question.id == community.cards[1].id


async def test_a_request_can_be_cancelled_by_its_owner_alone(community: Community) -> None:
    await community.decide(confirm_above=0)
    await community.imagine(count=2)
    (card,) = community.cards
    refused = await community.ben.click(card, label="Cancel")
    assert refused.response
    assert "Only" in refused.response.content
    done = await community.ada.click(card, label="Cancel")
    assert done.response
    assert done.response.content == "2 pictures were cancelled; they cost nothing."
    await community.clock.settle()
    assert "Cancelled" in text_of(community.cards[0])


@pytest.mark.parametrize("pointed", ["id", "link", "shouted"])
async def test_show_brings_a_request_back_with_live_buttons(community: Community, pointed: str) -> None:
    card = await draw_picture(community)
    job = {"id": job_of(card), "link": card.jump_url, "shouted": f" `{job_of(card).upper()}` "}[pointed]
    await community.ben.slash(community.review, "show", job=job)
    copy = community.review.history()[-1]
    assert len(copy.attachments) == 1
    result = await community.ben.click(copy, label="Details")
    assert result.response
    assert job_of(card) in result.response.content


async def test_a_request_under_way_moves_to_where_it_is_shown(community: Community) -> None:
    await community.imagine()
    await community.clock.settle()
    match = re.search(r"-# `(\w+)`", text_of(community.cards[0]))
    assert match
    job = match[1]

    refused = await community.ben.slash(community.review, "show", job=job)
    assert community.env.errors
    assert ["still under way" in each.content for each in refused.followups] == [True]

    await community.ada.slash(community.review, "show", job=job)
    assert community.cards == []
    await community.pass_time(15)
    assert len(community.review.history()[-1].attachments) == 1
    assert len(community.review.history()) == 1


@pytest.mark.parametrize("job", ["nope", "nope-1", "https://example.com/x", "§", "https://discord.com/channels/1/2/3"])
async def test_what_is_not_there_is_said_in_private(community: Community, job: str) -> None:
    result = await community.ben.slash(community.studio, "show", job=job)
    assert community.env.errors
    assert len(result.followups) == 1
    assert result.followups[0].ephemeral
    assert community.cards == []


def hidden_from(community: Community, member: MemberActor) -> ChannelHandle:
    return community.guild.create_text_channel(
        "hidden", overwrites={member: discord.PermissionOverwrite(view_channel=False)}
    )


async def test_what_was_made_in_a_channel_that_one_cannot_see_is_not_shown(community: Community) -> None:
    hidden = hidden_from(community, community.ben)
    await community.ada.slash(hidden, "imagine", prompt="a secret")
    await community.clock.settle()
    await community.pass_time(15)
    job = job_of(hidden.history()[-1])

    result = await community.ben.slash(community.studio, "show", job=job)
    assert community.env.errors
    assert [each.content for each in result.followups] == ["This was made in a channel that you cannot see."]

    await community.ada.slash(community.studio, "show", job=job)
    assert len(community.cards) == 1


async def test_what_was_made_in_a_channel_that_one_cannot_see_is_not_edited(community: Community) -> None:
    hidden = hidden_from(community, community.ben)
    await community.ada.slash(hidden, "imagine", prompt="a secret")
    await community.pass_time(20)
    card = hidden.history()[-1]
    for pointed in (job_of(card), f"{job_of(card)}-1", card.jump_url):
        result = await community.ben.slash(community.studio, "edit", instruction="make it night", of=pointed)
        assert private(result) == "This was made in a channel that you cannot see."
    assert len(community.env.errors) == 3
    assert community.cards == []


@pytest.mark.parametrize(
    ("menu", "answer"),
    [
        ("Edit this picture", "That message has no JPEG, PNG or WebP."),  # its own pictures could be edited
        ("Show details", "That message is not from this bot."),
    ],
)
async def test_the_message_of_another_bot_is_not_believed(community: Community, menu: str, answer: str) -> None:
    hidden = hidden_from(community, community.ben)
    await community.ada.slash(hidden, "imagine", prompt="a secret")
    await community.pass_time(20)
    button = discord.ui.Button[Any](label="Info", custom_id=buttons_of(hidden.history()[-1])["Details"])
    view = discord.ui.View()
    view.add_item(button)
    channel = community.app.client.get_partial_messageable(community.studio.id)
    forged = await channel.send("Press here", view=view)
    other = community.env.create_user("mallory", bot=True)
    community.env.backend.get_message(community.studio.id, forged.id).author_id = other.id

    result = await community.ben.context_menu(community.studio, menu, forged)

    assert result.modal is None
    assert private(result) == answer
    assert community.env.errors


async def test_what_was_made_in_an_age_restricted_channel_stays_in_such(community: Community) -> None:
    adults = community.guild.create_text_channel("adults")
    text_channel = community.app.client.get_channel(adults.id)
    assert isinstance(text_channel, discord.TextChannel)
    text_channel.nsfw = True  # SimCord's channels have no such switch
    await community.ada.slash(adults, "imagine", prompt="a nude, after Rodin")
    await community.clock.settle()
    await community.pass_time(15)
    job = job_of(adults.history()[-1])

    result = await community.ada.slash(community.studio, "show", job=job)

    assert community.env.errors
    assert ["age-restricted" in each.content for each in result.followups] == [True]
    assert community.cards == []


async def test_edit_takes_one_of_the_bots_pictures_by_its_id(community: Community) -> None:
    card = await draw_picture(community)
    (parent,) = await images_of(community, card)
    await community.ben.slash(community.studio, "edit", instruction="make it night", of=job_of(card))
    view = await community.newest()
    assert view.request.inputs == {"input_image": parent.sha256}
    assert view.request.parent_image_id == parent.id


async def test_an_edit_of_a_hidden_picture_is_hidden(community: Community) -> None:
    card = await draw_picture(community, spoiler=True)
    await community.ben.slash(community.studio, "edit", instruction="make it night", of=job_of(card))
    assert (await community.view(job_of(community.cards[-1]))).request.spoiler


async def test_who_names_no_model_gets_one_that_the_server_allows(community: Community) -> None:
    card = await draw_picture(community)
    await community.decide(allowed_models=("flux-dev", "flux-2-pro"))
    await community.ben.slash(community.studio, "edit", instruction="make it night", of=job_of(card))
    assert (await community.view(job_of(community.cards[-1]))).request.model == "flux-2-pro"
    await community.decide(allowed_models=("flux-dev",))
    result = await community.ben.slash(community.studio, "edit", instruction="make it night", of=job_of(card))
    assert private(result) == "This server allows no model that edits pictures."
    assert community.env.errors


@pytest.mark.parametrize("model", [None, "flux-dev"])
async def test_an_option_that_the_model_does_not_take_is_named_as_it_was_typed(
    community: Community, model: str | None
) -> None:
    await community.decide(default_model="flux-dev")
    picture = ("house.png", b"not looked at")
    options: dict[str, Any] = {"model": model} if model else {}
    result = await community.imagine(reference=picture, reference_strength=0.5, **options)
    assert "has no “reference_strength”" in private(result)
    assert community.env.errors


async def test_any_message_of_the_bot_can_be_edited_from_its_menu(community: Community) -> None:
    card = await draw_picture(community, count=2)
    form = await community.ben.context_menu(community.studio, "Edit this picture", card)
    chosen = {"picture": [f"{job_of(card)}-2"], "model": ["flux-kontext-pro"]}
    await community.ben.submit_modal(form, {"instruction": "make it night", **chosen})
    view = await community.newest()
    assert view.request.parent_image_id == f"{job_of(card)}-2"


async def test_a_moderator_denies_with_a_reason_that_the_member_reads(community: Community) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.imagine()
    await community.clock.settle()
    question = community.review.history()[-1]

    refused = await community.ada.click(question, label="Deny")
    assert refused.response
    assert refused.ephemeral

    form = await community.mia.click(question, label="Deny")
    await community.mia.submit_modal(form, {"reason": "Too dear for today."})
    await community.clock.settle()

    assert "Denied" in text_of(community.review.history()[-1])
    assert "Too dear for today." in text_of(community.cards[0])


@pytest.mark.parametrize("label", ["Approve", "Deny", "Claim"])
async def test_a_question_that_still_looks_open_is_brought_up_to_date_by_a_press(
    community: Community, label: str
) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.imagine()
    await community.clock.settle()
    question = community.review.history()[-1]
    community.env.inject_error("PATCH", "/channels/*/messages/*", status=503, times=5)
    async with community.app.database.write() as db:
        await reviews.expire(db, now=community.clock.now() + 1e9)

    pressed = await community.mia.click(question, label=label)
    if label == "Deny":
        pressed = await community.mia.submit_modal(pressed, {"reason": "No."})

    assert private(pressed) == "This is expired already."
    assert text_of(community.review.history()[-1]).startswith("### Closed without an answer")
    assert buttons_of(community.review.history()[-1]) == {}


async def test_what_a_moderator_approves_is_drawn_once(community: Community) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.imagine()
    await community.clock.settle()

    listed = await community.mia.slash(community.studio, "review")
    assert listed.ephemeral
    assert listed.response
    await community.mia.click(listed.response.message, label="Approve")
    await community.pass_time(15)

    assert "Approved" in text_of(community.review.history()[-1])
    assert len(community.cards[0].attachments) == 1
    assert len(community.bfl.tasks) == 1
