"""What members type and attach has bounds: in length, in bytes, and in time."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from bot import limits
from bot.discord.attachments import MessageFile, download
from bot.errors import Refused, Unavailable
from bot.values import in_millions
from bot.workflows.base.types import Upload
from bot.workflows.base.uploads import fetch_upload
from bot.workflows.finetuning.intake import Intake
from tests.drawing.test_edit import photo
from tests.finetuning.test_commands import picture
from tests.scenes.community import Community, private
from tests.scenes.kiln import upload
from tests.scenes.workbench import Bench


def texts_of(options: list[dict[str, Any]], path: str) -> list[tuple[str, dict[str, Any]]]:
    """Every text that a command asks for, and where; not those that are chosen from a list."""
    texts: list[tuple[str, dict[str, Any]]] = []
    for option in options:
        where = f"{path} {option['name']}"
        if option["type"] in {1, 2}:
            texts += texts_of(option.get("options", []), where)
        elif option["type"] == 3 and not option.get("choices"):
            texts.append((where, option))
    return texts


async def test_every_text_of_a_command_has_a_length(community: Community) -> None:
    tree = community.app.client.tree
    typed = [each for each in tree.get_commands() if not isinstance(each, app_commands.ContextMenu)]
    texts = [text for command in typed for text in texts_of([command.to_dict(tree)], "")]
    assert len(texts) > 30
    for where, option in texts:
        assert 1 <= option.get("max_length", 0) <= limits.OPTION_CHARACTERS, where
    longest = {where.strip(): option["max_length"] for where, option in texts}
    assert longest["imagine prompt"] == 6000
    assert longest["finetune create trigger"] == 40
    assert longest["finetune create name"] == 40
    assert longest["finetune create links"] == 1000


async def hang(*_: object) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_file_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.discord.attachments.PATIENCE", 0.01)
    client = cast("discord.Client", SimpleNamespace(http=SimpleNamespace(get_from_cdn=hang)))
    with pytest.raises(Unavailable, match="Discord took more than a minute to hand over “cat"):
        await download(client, MessageFile("cat.png", "https://cdn.discordapp.com/attachments/1/2/cat.png", 9))


async def test_who_attached_a_slow_file_is_told_so_and_nothing_is_ordered(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def time_out(_url: str) -> bytes:
        raise TimeoutError

    monkeypatch.setattr(community.app.client.http, "get_from_cdn", time_out)
    result = await community.ben.slash(community.studio, "edit", instruction="make it night", image=photo())
    assert private(result) == "Discord took more than a minute to hand over “house.png”. Please try again."
    assert community.env.errors is not None
    assert community.cards == []
    assert community.bfl.tasks == []


async def test_a_slow_training_picture_does_not_keep_others_out_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of forms are read in turn."""
    intake = Intake(bench.kit())
    monkeypatch.setattr("bot.workflows.finetuning.intake.PATIENCE", 0.01)
    with pytest.raises(Unavailable, match="Discord took too long to hand these files over"):
        await intake.take([Upload("owl.jpg", 9, hang)])
    monkeypatch.setattr("bot.workflows.finetuning.intake.PATIENCE", 60.0)
    taken = await intake.take([upload(*picture(1))])
    assert len(taken.pictures) == 1


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
