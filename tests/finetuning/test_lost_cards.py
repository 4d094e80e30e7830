"""A draft whose card has scrolled away, or is gone, is found again."""

import pytest

from tests.conftest import MakeCommunity
from tests.finetuning.test_commands import a_draft, by_form, load_view, picture, read_card
from tests.scenes.community import Community, buttons_of, text_of


@pytest.fixture
async def studio(make_community: MakeCommunity) -> Community:
    return await make_community(trainers=["bfl"], training_duration=600.0)


async def test_the_list_leads_back_to_each_draft(studio: Community) -> None:
    luna, _ = await a_draft(studio), await by_form(studio, {"pictures": [picture(9)]}, name="Sol")
    listed = await studio.ada.slash(studio.review, "finetune list")
    assert listed.response
    assert listed.response.ephemeral
    job = luna.job
    link = f"[card](https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.message_id})"
    assert link in listed.response.content
    assert [*buttons_of(listed.response.message)] == ["Show “Sol” here", "Show “Luna” here"]

    await studio.ada.click(listed.response.message, label="Show “Luna” here")
    await studio.clock.settle()

    (shown,) = studio.review.history()
    assert "Luna: a draft" in text_of(shown)
    assert "Add pictures" in buttons_of(shown)
    assert shown.attachments, "the contact sheet"
    moved = (await load_view(studio)).job
    assert (moved.channel_id, moved.message_id) == (studio.review.id, shown.id)
    assert [text_of(card).splitlines()[0] for card in studio.cards] == ["### Sol: a draft"]


async def test_who_has_no_draft_sees_no_buttons(studio: Community) -> None:
    await a_draft(studio)
    listed = await studio.ben.slash(studio.studio, "finetune list")
    assert listed.response
    assert buttons_of(listed.response.message) == {}


async def test_the_details_lead_back_to_the_card_also_where_it_was_deleted(studio: Community) -> None:
    view = await a_draft(studio)
    await studio.cards[0].delete()
    shown = await studio.ada.slash(studio.studio, "finetune show", name="Luna")
    assert f"**Its card** is in <#{studio.studio.id}>: https://discord.com/channels/" in read_card(shown)
    assert shown.response

    await studio.ada.click(shown.response.message, label="Show its card here")
    await studio.clock.settle()

    assert "Luna: a draft" in text_of(studio.card)
    assert (await load_view(studio)).job.message_id == studio.card.id != view.job.message_id


async def test_only_its_owner_brings_a_draft_somewhere_else(studio: Community) -> None:
    view = await a_draft(studio)
    shown = await studio.ada.slash(studio.studio, "finetune show", name="Luna")
    assert shown.response
    assert "Show its card here" in buttons_of(shown.response.message)
    theirs = await studio.ben.slash(studio.studio, "finetune show", name="Luna")
    assert theirs.response
    assert "Show its card here" not in buttons_of(theirs.response.message)
    assert view.job.message_id == studio.card.id


async def test_drafts_are_listed_however_many_newer_finetunes_there_are(
    studio: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_draft(studio)
    monkeypatch.setattr("bot.limits.CHOICES", 1)
    await by_form(studio, {"pictures": [picture(9)]}, name="Sol")
    async with studio.app.database.write() as db:
        from sqlalchemy import text  # noqa: PLC0415

        await db.execute(text("UPDATE finetunes SET state = 'expired' WHERE name = 'Sol'"))
    listed = await studio.ada.slash(studio.studio, "finetune list")
    assert listed.response
    assert "**Luna**" in listed.response.content
