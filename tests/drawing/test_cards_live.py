"""The buttons under a finished card, pressed by its owner and by others, before and after a restart."""

import pytest

from tests.scenes.community import Community, buttons_of, job_of, private, text_of


@pytest.mark.parametrize("restarted", [False, True])
async def test_every_button_goes_on_working(community: Community, restarted: bool) -> None:
    card = await community.drawn(count=2, aspect_ratio="3:2")
    job = job_of(card)
    assert buttons_of(card).keys() == {
        *("Pick 1", "Pick 2", "Vary 1", "Vary 2", "Edit 1", "Edit 2"),
        *("Again", "Edit prompt", "Register", "Details", "Delete"),
    }
    if restarted:
        await community.restart()

    details = private(await community.ben.click(card, label="Details"))
    assert details.startswith(f"**Prompt** a lighthouse\n**Request** `{job}` by <@{community.ada.id}>")
    assert "`aspect_ratio=3:2`" in details
    assert "**Cost** estimated $0.12, charged $0.12" in details

    await community.ben.click(card, label="Pick 2")
    picked = community.cards[-1]
    assert text_of(picked).startswith("### Picture 2 of 2\n")
    assert len(picked.attachments) == 1

    await community.ben.click(card, label="Vary 1")
    await community.ben.click(card, label="Again")
    form = await community.ben.click(card, label="Edit prompt")
    await community.ben.submit_modal(form, {"prompt": "a windmill"})
    form = await community.ben.click(card, label="Edit 2")
    await community.ben.submit_modal(form, {"instruction": "make it night", "model": ["flux-kontext-pro"]})
    await community.pass_time(30)
    new = community.cards[2:]
    assert [len(each.attachments) for each in new] == [2, 2, 2, 1]
    views = [await community.view(job_of(each)) for each in new]
    assert [view.request.prompt for view in views] == ["a lighthouse", "a lighthouse", "a windmill", "make it night"]
    assert [view.request.parent_image_id for view in views] == [f"{job}-1", None, None, f"{job}-2"]
    assert {view.job.owner_id for view in views} == {community.ben.id}
    seeds = {task.seed for task in community.bfl.tasks}
    assert len(seeds) == 9, "each has a seed of its own"

    assert "Only" in private(await community.ben.click(card, label="Delete"))
    await community.delete(card)
    assert text_of(community.cards[0]).startswith("### Deleted\nIts pictures were deleted by their owner.")
    assert community.cards[0].attachments == []


async def test_the_picture_alone_can_be_varied_edited_and_looked_into(community: Community) -> None:
    card = await community.drawn(count=2)
    await community.ben.click(card, label="Pick 1")
    picked = community.cards[-1]
    assert buttons_of(picked).keys() == {"Vary", "Edit", "Register", "Again", "Details"}
    await community.restart()
    await community.mia.click(picked, label="Vary")
    await community.pass_time(20)
    assert community.cards[-1].attachments
    assert job_of(card) in private(await community.mia.click(picked, label="Details"))


async def test_a_moderator_may_delete_and_the_card_says_who_did(community: Community) -> None:
    await community.decide(moderator_role_id=community.role.id)
    card = await community.drawn()
    await community.delete(card, community.mia)
    assert f"deleted by a moderator, <@{community.mia.id}>." in text_of(community.card)
    assert community.files == []


async def test_what_waits_may_be_cancelled_by_its_owner_and_moderators_also_after_a_restart(
    community: Community,
) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.imagine(count=3)
    await community.clock.settle()
    await community.restart()
    answer = private(await community.ben.click(community.card, label="Cancel"))
    assert answer == f"Only <@{community.ada.id}> and the moderators can cancel this."
    answer = private(await community.mia.click(community.card, label="Cancel"))
    assert answer == "3 pictures were cancelled; they cost nothing."
    await community.pass_time(5)
    text = text_of(community.card)
    assert text.startswith("### Cancelled\n")
    assert "Nothing was charged." in text
    assert community.ordered() == 0
    await community.ada.click(community.card, label="Again")
    await community.clock.settle()
    assert text_of(community.cards[-1]).startswith("### Waiting for a moderator")


async def test_what_is_being_drawn_cannot_be_called_back_and_says_so(community: Community) -> None:
    await community.imagine()
    waiting = community.card
    await community.pass_time(2)
    answer = private(await community.ada.click(waiting, label="Cancel")) if "Cancel" in buttons_of(waiting) else ""
    assert answer == "Too late to cancel: it is already being drawn."
    await community.pass_time(20)
    assert community.card.attachments


async def test_a_deleted_card_is_posted_anew_with_its_pictures(community: Community) -> None:
    await community.imagine()
    await community.pass_time(3)
    await community.olga.delete(community.card)
    await community.pass_time(20)
    assert community.card.attachments
    assert f"### 1 picture for <@{community.ada.id}>" in text_of(community.card)
