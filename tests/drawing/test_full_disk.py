"""The disk is full, or another program holds the database, while pictures are drawn: what is paid for is delivered."""

import errno
from collections.abc import Callable

import pytest

import storage.database
from bot.discord.posting import Place, Posting
from bot.errors import BotError, Broken, Lacking, MachineTrouble, Unavailable
from bot.jobs import machine as machines
from bot.jobs.machine import LOOK_AGAIN
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, private, text_of
from tests.scenes.disk import full_disk, held_database


@pytest.fixture
async def community(make_community: MakeCommunity, monkeypatch: pytest.MonkeyPatch) -> Community:
    """Whose database waits 20 ms for another program, where the bot's waits 10 s."""
    monkeypatch.setattr(storage.database, "BUSY", 20)
    return await make_community()


@pytest.fixture
def alarms(community: Community, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    alarms: list[str] = []

    async def tell(sentence: str) -> None:
        alarms.append(sentence)

    monkeypatch.setattr(community.app.services.kit.machine, "_alarm", tell)
    return alarms


async def order_three(community: Community) -> None:
    await community.imagine(count=3)
    await community.pass_time(2)
    assert community.ordered() == 3


async def check_delivered(community: Community, *, orders: int = 3) -> None:
    assert len(community.card.attachments) == 3, text_of(community.card)
    assert community.ordered() == orders
    view = await community.newest()
    assert [picture.job.error for picture in view.pictures] == [None] * 3
    assert len(community.files) == 3


async def test_three_pictures_that_are_paid_for_wait_for_room_and_are_delivered(
    community: Community, alarms: list[str]
) -> None:
    await order_three(community)
    with full_disk():
        await community.pass_time(120)
        assert not community.card.attachments
        answer = private(await community.imagine(community.ben))
        assert community.env.errors, "it is raised, and explained"
    await community.pass_time(60)

    await check_delivered(community)
    assert "Please try again in a few minutes" in answer
    assert len(alarms) == len({sentence.split(".")[0] for sentence in alarms}), "one for each kind of trouble"
    assert any(str(community.folder) in sentence for sentence in alarms)


async def test_three_pictures_that_are_paid_for_outlive_a_program_that_holds_the_database(
    community: Community, alarms: list[str]
) -> None:
    await order_three(community)
    with held_database(community.folder / "bot.db"):
        await community.pass_time(40)
        assert not community.card.attachments
    await community.pass_time(60)

    await check_delivered(community)
    assert len(alarms) == 1
    assert "the database" in alarms[0]


async def test_a_disk_with_8_kib_left_costs_no_picture(community: Community, alarms: list[str]) -> None:
    await order_three(community)
    wal = (community.folder / "bot.db-wal").stat().st_size
    with full_disk(wal + 8192):
        await community.pass_time(60)
    await community.pass_time(60)
    await check_delivered(community)


async def test_a_disk_that_is_full_for_longer_than_the_links_live_ends_as_charged(community: Community) -> None:
    await order_three(community)
    with full_disk():
        await community.pass_time(1000)
    await community.pass_time(200)

    view = await community.newest()
    assert view.ended
    assert [picture.job.cost_actual for picture in view.pictures] == [view.pictures[0].job.cost_estimated] * 3
    assert view.pictures[0].job.cost_actual
    assert community.ordered() == 3


async def test_nothing_is_ordered_below_the_margin_and_the_card_says_what_it_waits_for(
    community: Community, alarms: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(free: int) -> Callable[[object], int]:
        return lambda _: free

    monkeypatch.setattr(machines, "free_bytes", leave(150_000_000))
    await community.imagine(count=3)
    await community.pass_time(LOOK_AGAIN * 1.5)  # between two tries
    assert community.ordered() == 0
    assert "The disk of the bot's machine is almost full" in text_of(community.card)
    assert "150 MB are free, and 200 MB have to be" in text_of(community.card)
    assert len(alarms) == 1

    monkeypatch.setattr(machines, "free_bytes", leave(400_000_000))
    await community.pass_time(200)
    await check_delivered(community)


async def test_stopped_on_a_full_disk_it_ends_and_the_next_life_delivers(community: Community) -> None:
    await order_three(community)
    with full_disk():
        await community.pass_time(20)
        await community.stop()
    await community.restart()
    await community.pass_time(90)
    await check_delivered(community)


async def test_trouble_after_a_request_was_accepted_makes_nobody_repeat_it(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lack(_job_id: str) -> None:
        raise MachineTrouble("The bot's database is busy just now.", lacking=Lacking.DATABASE)

    with monkeypatch.context() as patch:
        patch.setattr(community.app.services.drawing.views, "of", lack)
        result = await community.imagine()
    assert result.deferred
    assert not result.followups, "nothing says that it failed"
    await community.pass_time(60)
    assert len(community.card.attachments) == 1
    assert community.ordered() == 1


async def test_a_file_of_this_machine_is_not_blamed_on_discord(community: Community) -> None:
    posting: Posting = vars(community.app.services.delivery)["_posting"]
    place = Place(community.guild.id, community.studio.id)
    for error, expected in (
        (FileNotFoundError(errno.ENOENT, "No such file", "a-picture"), Broken),
        (OSError(errno.ENOSPC, "No space left on device"), MachineTrouble),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset"), Unavailable),
    ):
        with pytest.raises(BotError) as raised:
            async with posting.translate_errors(place):
                raise error
        assert type(raised.value) is expected
