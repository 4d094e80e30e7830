"""Every picture of a message is looked at, and each has its verdict."""

import hashlib

import pytest

from bot import limits
from tests.conftest import MakeCommunity
from tests.discord.test_message_files import post_layout
from tests.finetuning.test_commands import picture
from tests.registering.test_commands import read_card
from tests.registering.test_verify import another, bytes_of, copy_of, register_picture
from tests.scenes.community import Community, job_of


@pytest.fixture
async def owls(make_community: MakeCommunity) -> Community:
    return await make_community(story={})


async def verify(community: Community, *files: tuple[str, bytes]) -> str:
    message = await community.ben.send(community.studio, "look", attachments=files)
    return read_card(await community.ada.context_menu(community.studio, "Verify this picture", message))


async def test_all_of_eight_pictures_are_looked_at(owls: Community) -> None:
    pictures = [picture(seed) for seed in range(8)]
    text = await verify(owls, *pictures)
    for name, content in pictures:
        assert f"### {name}: not registered" in text
        assert f"SHA-256 `{hashlib.sha256(content).hexdigest()}`" in text


async def test_the_registered_one_of_ten_is_found_wherever_it_is(owls: Community) -> None:
    row = await register_picture(owls)
    pictures = [picture(seed) for seed in range(9)]
    text = await verify(owls, *pictures, ("last.jpg", await bytes_of(owls, row)))
    for name, _ in pictures:
        assert f"{name}" in text
    (line,) = [line for line in text.splitlines() if "last.jpg" in line]
    assert "registered as" in line
    assert "A lighthouse" in text
    assert len(text) <= limits.CARD_CHARACTERS


async def test_what_has_no_room_has_a_line_of_its_own(owls: Community) -> None:
    row = await register_picture(owls)
    registered = await bytes_of(owls, row)
    files = [*((f"same-{number}.jpg", registered) for number in range(9)), ("copy.jpg", copy_of(registered))]
    text = await verify(owls, *files)
    assert len(text) <= limits.CARD_CHARACTERS
    assert "### ✅ same-0.jpg: registered as IP" in text
    assert "✅ **same-8.jpg:** registered as [" in text
    assert "**copy.jpg:** not registered, and looks like “A lighthouse”, which is." in text
    assert "`/verify` with one of them says everything." in text


async def test_two_files_of_one_name_are_told_apart_by_their_number(owls: Community) -> None:
    text = await verify(owls, picture(1, "image.jpg"), picture(2, "image.jpg"))
    assert "### 1 · image.jpg: not registered" in text
    assert "### 2 · image.jpg: not registered" in text


async def test_one_that_cannot_be_looked_at_does_not_hide_the_others(
    owls: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workflows.registering.verification.LARGEST", 100_000)
    large = another()
    assert len(large) > 100_000
    text = await verify(owls, picture(1), ("large.png", large), picture(2))
    assert "### large.png: not looked at" in text
    assert "0.2 MB, and the most is 0.1 MB" in text.replace("\\", "")
    assert "### picture-1.jpg: not registered" in text
    assert "### picture-2.jpg: not registered" in text


async def test_every_picture_of_a_request_is_looked_at(owls: Community) -> None:
    card = await owls.drawn(count=4)
    text = read_card(await owls.ben.context_menu(owls.studio, "Verify this picture", card))
    for number in range(1, 5):
        assert f"### Picture {job_of(card)}-{number}: not registered" in text


async def test_a_layout_of_more_pictures_than_are_looked_at_says_how_many_are_left(owls: Community) -> None:
    message = post_layout(owls, *(picture(seed) for seed in range(10)), *(picture(seed) for seed in range(20, 26)))
    text = read_card(await owls.ada.context_menu(owls.studio, "Verify this picture", message))
    assert "picture-21.jpg" in text
    assert "picture-22.jpg" not in text
    assert "4 more pictures" in text
    assert "Only the first 12 pictures of a message are looked at." in text
