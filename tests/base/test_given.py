"""What members type and attach has bounds: in length, in bytes, and in time."""

import asyncio
from typing import Any

import pytest

from bot import limits
from bot.errors import Refused
from bot.values import in_millions
from bot.workflows.base.types import Upload
from bot.workflows.base.uploads import fetch_upload
from tests.drawing.test_edit import photo
from tests.finetuning.test_commands import a_draft, load_view, picture, press
from tests.scenes.community import Community, private
from tests.scenes.workbench import Bench


def texts_of(options: list[dict[str, Any]], path: str) -> list[tuple[str, dict[str, Any]]]:
    """Every text that a command asks for, and where; not those that are chosen from a list."""
    found: list[tuple[str, dict[str, Any]]] = []
    for option in options:
        where = f"{path} {option['name']}"
        if option["type"] in {1, 2}:
            found += texts_of(option.get("options", []), where)
        elif option["type"] == 3 and not option.get("choices"):
            found.append((where, option))
    return found


async def test_every_text_of_a_command_has_a_length(community: Community) -> None:
    tree = community.app.client.tree
    texts = [each for command in tree.get_commands() for each in texts_of([command.to_dict(tree)], "")]
    assert len(texts) > 30
    for where, option in texts:
        assert 1 <= option.get("max_length", 0) <= limits.OPTION_CHARACTERS, where
    longest = {where.strip(): option["max_length"] for where, option in texts}
    assert longest["imagine prompt"] == 6000
    assert longest["finetune create trigger"] == 40
    assert longest["finetune create name"] == 40
    assert longest["finetune create links"] == 1000


async def hang(_url: str) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_file_that_discord_does_not_hand_over_is_given_up_with_a_sentence(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.discord.attachments.PATIENCE", 0.01)
    monkeypatch.setattr(community.app.client.http, "get_from_cdn", hang)
    result = await community.ben.slash(community.studio, "edit", instruction="make it night", image=photo())
    assert private(result) == "Discord took more than a minute to hand over “house.png”. Please try again."
    assert community.env.errors is not None
    assert community.cards == []
    assert community.bfl.tasks == []


async def test_one_slow_picture_of_a_form_does_not_hold_the_next_member_for_ever(
    make_community: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training pictures are read in turn, so a file that never comes would keep everybody out."""
    studio: Community = await make_community(trainers=["bfl"])
    await a_draft(studio)
    form = await press(studio, "Add pictures")
    http = studio.app.client.http
    hand_over = http.get_from_cdn
    monkeypatch.setattr("bot.discord.attachments.PATIENCE", 0.01)
    monkeypatch.setattr(http, "get_from_cdn", hang)
    answer = private(await studio.ada.submit_modal(form, {"pictures": [picture(7)]}))
    assert answer == "Discord took more than a minute to hand over “picture-7.jpg”. Please try again."
    monkeypatch.setattr("bot.discord.attachments.PATIENCE", 60)
    monkeypatch.setattr(http, "get_from_cdn", hand_over)
    form = await press(studio, "Add pictures")
    assert private(await studio.ada.submit_modal(form, {"pictures": [picture(7)]})) == "Taken: 1 picture."
    assert len((await load_view(studio)).pictures) == 4


async def test_more_bytes_than_discord_has_said_are_not_taken(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overflow(_url: str) -> bytes:
        return photo()[1] + bytes(1)

    monkeypatch.setattr(community.app.client.http, "get_from_cdn", overflow)
    result = await community.ben.slash(community.studio, "edit", instruction="make it night", image=photo())
    assert private(result) == "Discord handed over more of “house.png” than it has. Please attach it again."
    assert community.env.errors is not None


async def test_a_file_of_unknown_size_is_measured_when_it_is_there(bench: Bench) -> None:
    upload = Upload("owl.png", 0, lambda path: asyncio.to_thread(path.write_bytes, bytes(200_001)))
    with pytest.raises(Refused, match=r"“owl\.png” has 0\.3 MB, and the most is 0\.2 MB"):
        await fetch_upload(upload, bench.folder / "owl", most=200_000)


@pytest.mark.parametrize(
    ("size", "shown"), [(20_000_000, 20), (20_000_001, 20.1), (19_600_000, 19.6), (20_400_000, 20.4), (1, 0.1), (0, 0)]
)
def test_what_is_above_a_limit_never_reads_like_the_limit(size: int, shown: float) -> None:
    assert in_millions(size) == shown
