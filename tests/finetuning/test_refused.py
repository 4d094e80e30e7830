"""A finetune in a channel into which Discord lets no pictures: its card says so instead of thinking for ever."""

import pytest

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
