"""A finetune in a channel into which Discord lets no pictures: its card says so instead of thinking for ever."""

import pytest

from storage.finetuning import finetunes
from tests.conftest import MakeCommunity
from tests.finetuning.test_commands import a_draft
from tests.scenes.community import Community, text_of


@pytest.fixture
async def studio(make_community: MakeCommunity) -> Community:
    return await make_community(trainers=["bfl"])


async def test_a_draft_is_shown_without_its_contact_sheet(studio: Community) -> None:
    studio.refusals.filtered.add(studio.studio.id)
    view = await a_draft(studio, 4)
    await studio.pass_time(5)
    assert len(view.pictures) == 4
    text = text_of(studio.card)
    assert "Luna" in text
    assert "The pictures cannot be shown here." in text
    assert f"`/show {view.job.id}`" in text


async def test_a_card_that_cannot_be_edited_is_told_of_and_edited_when_it_can_be(studio: Community) -> None:
    view = await a_draft(studio)
    await studio.pass_time(1000)  # the command's own way to its answer is closed by then
    studio.env.inject_error("*", "/channels/*", status=403, code=50001, times=None)
    async with studio.app.services.kit.work() as tx:
        await tx.wake(view.job.id)
    await studio.pass_time(30)
    answer = await studio.ada.slash(studio.review, "history")
    assert any(f"`{view.job.id}` could not be brought up to date." in each.content for each in answer.followups)
    studio.env.backend.faults.clear()
    async with studio.app.services.kit.work() as tx:
        await finetunes.update(tx.db, view.job.id, now=tx.now, name="Nox", name_key="nox")
    await studio.pass_time(300)
    assert text_of(studio.card).startswith("### Nox: a draft")
