"""The bot is killed at every step of a request, inside each side effect: nothing is lost, posted twice or paid twice.

Each trial is a world of its own: the real bot as a process, speaking through real sockets to a Discord and a BFL that
outlive it. Where exactly a kill falls is luck; what must be true afterwards is not (`tests/crash/drawing/claims.py`).
"""

import asyncio
import random
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from standins.base.faults import Fault, Handler, answers
from standins.discord import held
from standins.discord.state import EVERYDAY, READ_HISTORY
from storage.base.jobs import State
from storage.migrations import upgrade
from tests.crash.drawing.claims import broken_claims
from tests.crash.lives import PATIENCE, Zygote, a_zygote
from tests.crash.tables import read_tables
from tests.crash.trials import IDLE, check_exit_codes, try_out
from tests.crash.world import World, a_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = 20260801
"""Of what is only sampled: the same in each run, as far as the moments are."""

Trial = Callable[[World], Awaitable[list[str]]]


class Laboratory:
    """Makes worlds, and tries out what happens to the bot in them."""

    def __init__(self, folder: Path, zygote: Zygote) -> None:
        self._folder = folder
        self._zygote = zygote
        self._numbers = count()
        self._database = folder / "empty.db"
        upgrade(self._database)

    def world(
        self, *, pictures: int = 1, new: bool = False, gateway: bool = True
    ) -> AbstractAsyncContextManager[World]:
        """Whose folder has a database, or is `new`."""
        folder, database = self._folder / str(next(self._numbers)), None if new else self._database
        return a_world(folder, self._zygote, count=pictures, database=database, gateway=gateway)

    async def moments(
        self, prepare: Callable[[World], None] | None = None, *, pictures: int = 1, new: bool = False
    ) -> list[str]:
        """What happens to a request that nobody disturbs, by name and in order."""
        async with self.world(pictures=pictures, new=new) as world:
            if prepare:
                prepare(world)
            assert await world.lead() == 0
            assert not broken_claims(world)
            return [each for each in world.reached() if not IDLE.search(each)]

    async def try_out(self, trials: dict[str, Trial], *, pictures: int = 1, new: bool = False) -> None:
        await try_out(trials, lambda: self.world(pictures=pictures, new=new))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def laboratory(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Laboratory]:
    async with a_zygote() as zygote:
        yield Laboratory(tmp_path_factory.mktemp("crash"), zygote)


def kill_at(*moments: str, prepare: Callable[[World], None] | None = None) -> Trial:
    """The bot is killed at each of these moments in turn, then left in peace."""

    async def trial(world: World) -> list[str]:
        if prepare:
            prepare(world)
        codes = [await world.lead(moment) for moment in moments]
        return [
            *check_exit_codes(codes, -signal.SIGKILL, 0),
            *check_exit_codes([await world.lead()], 0),
            *broken_claims(world),
        ]

    return trial


# Killed.


async def test_killed_at_any_moment(laboratory: Laboratory) -> None:
    await laboratory.try_out({moment: kill_at(moment) for moment in await laboratory.moments()})


async def test_killed_while_the_tables_are_made(laboratory: Laboratory) -> None:
    made = [each for each in await laboratory.moments(new=True) if each.startswith("after CREATE")]
    chosen = [made[0], *random.Random(SEED).sample(made[1:-1], 4), made[-1]]
    await laboratory.try_out({moment: kill_at(moment) for moment in chosen}, new=True)


async def test_killed_while_two_pictures_are_drawn(laboratory: Laboratory) -> None:
    moments = await laboratory.moments(pictures=2)
    shared = moments.index("after commit of Requests.accept #1")
    chosen = random.Random(SEED).sample(moments[shared:], 20)
    await laboratory.try_out({moment: kill_at(moment) for moment in chosen}, pictures=2)


async def test_killed_twice(laboratory: Laboratory) -> None:
    moments = await laboratory.moments()
    chance = random.Random(SEED)
    pairs = [(chance.choice(moments), chance.choice(moments)) for _ in range(16)]
    await laboratory.try_out({" and ".join(pair): kill_at(*pair) for pair in pairs})


async def test_killed_at_any_time(laboratory: Laboratory) -> None:
    """Between the moments that have a name, too."""

    def trial(after: float) -> Trial:
        async def killed_after(world: World) -> list[str]:
            codes = [await world.lead(after=after)]
            return [
                *check_exit_codes(codes, -signal.SIGKILL, 0),
                *check_exit_codes([await world.lead()], 0),
                *broken_claims(world),
            ]

        return killed_after

    chance = random.Random(SEED)
    await laboratory.try_out({f"after {s:.3f} s": trial(s) for s in (chance.uniform(0, 0.5) for _ in range(12))})


async def test_a_picture_that_was_fetched_before_a_kill_is_not_fetched_again(laboratory: Laboratory) -> None:
    """Its provider has forgotten it meanwhile, and its link is dead."""

    def trial(moment: str) -> Trial:
        async def killed_and_forgotten(world: World) -> list[str]:
            codes = [await world.lead(moment)]
            for kind in ("poll", "sample"):
                world.bfl.faults.append(Fault(kind, answers(404, {"detail": "Not Found"}), times=999))
            return [
                *check_exit_codes(codes, -signal.SIGKILL),
                *check_exit_codes([await world.lead()], 0),
                *broken_claims(world),
            ]

        return killed_and_forgotten

    moments = ("after renaming #1", "before commit of PictureJob._add_image #1")
    await laboratory.try_out({moment: trial(moment) for moment in moments})


# The card is gone.


def card_vanishes(world: World, *, permissions: int = EVERYDAY) -> None:
    """A moderator deletes the card while the picture is being ordered, and leaves the bot these permissions."""

    async def vanish(request: web.Request, handler: Handler) -> web.StreamResponse:
        world.delete_card()
        world.discord.channel.app_permissions = permissions
        return await handler(request)

    world.bfl.faults.append(Fault("submit", vanish, times=9))


def card_vanishes_and_nonces_are_forgotten(world: World) -> None:
    """As after hours: all that is left of a post is the post."""
    card_vanishes(world)
    world.discord.world.nonces_live = 0


def card_vanishes_where_nothing_can_be_read(world: World) -> None:
    card_vanishes(world, permissions=EVERYDAY & ~READ_HISTORY)


@pytest.mark.parametrize(
    "prepare",
    [card_vanishes, card_vanishes_and_nonces_are_forgotten, card_vanishes_where_nothing_can_be_read],
)
async def test_killed_while_a_deleted_card_is_posted_anew(
    laboratory: Laboratory, prepare: Callable[[World], None]
) -> None:
    usual, moments = await laboratory.moments(), await laboratory.moments(prepare)
    chosen = [each for each in moments if each not in usual or "delivered" in each]
    assert any("POST /api" in each for each in chosen)
    await laboratory.try_out({moment: kill_at(moment, prepare=prepare) for moment in chosen})


async def test_a_post_that_arrives_after_the_death_of_its_sender_is_no_second_card(laboratory: Laboratory) -> None:
    """The next life finds no post, and makes one; then the old one arrives. The nonce makes them the same."""
    on_its_way = asyncio.Event()
    async with laboratory.world() as world:
        card_vanishes(world)
        world.discord.faults.append(Fault("message.create", held(on_its_way, before=True)))
        life = asyncio.ensure_future(world.lead())
        await world.either(lambda: not world.discord.faults)
        assert world.process
        world.process.send(signal.SIGKILL)
        assert await life == -signal.SIGKILL
        assert await world.lead() == 0
        on_its_way.set()
        await world.discord.until(lambda: all(each.committed for each in world.discord.requested("message.create")))
        assert len(world.discord.requested("message.create")) == 2
        assert not broken_claims(world)


# Stopped.


def stop_at(moment: str) -> Trial:
    """The bot is told to stop as an admin does, then started again."""

    async def trial(world: World) -> list[str]:
        codes = [await world.lead(moment, number=signal.SIGTERM)]
        unsure = [f"{each} was left half paid" for each in world.half_paid]
        return [*check_exit_codes(codes, 0), *unsure, *check_exit_codes([await world.lead()], 0), *broken_claims(world)]

    return trial


async def test_stopped_at_any_moment_it_leaves_nothing_unsure(laboratory: Laboratory) -> None:
    moments = await laboratory.moments()
    chosen = [each for each in moments if each.startswith("before") or "after POST" in each or "_pay" in each]
    await laboratory.try_out({moment: stop_at(moment) for moment in chosen})


async def test_stopped_while_it_cannot_connect_it_ends(laboratory: Laboratory) -> None:
    async with laboratory.world(gateway=False) as world:
        life = await world.start(stays=True)
        await world.either(lambda: "after GET /api/v10/gateway/bot #1" in world.reached())
        await asyncio.sleep(0.1)
        life.send(signal.SIGTERM)
        assert await life.end() == 0


# And then?


async def test_the_buttons_of_a_card_work_in_a_later_life(laboratory: Laboratory) -> None:
    async with laboratory.world() as world:
        assert await world.lead("after GET /v1/get_result #1") == -signal.SIGKILL
        assert await world.lead("after commit of Journal._finish delivered #1") == -signal.SIGKILL
        assert await world.lead() == 0
        assert not broken_claims(world)
        later = await world.connected()
        pressed = await world.discord.press(world.discord.member, world.card, f"1:img:again:{world.request}")
        await world.discord.until(lambda: pressed.original and pressed.original.attachments, timeout=PATIENCE)
        later.send(signal.SIGTERM)
        assert await later.end() == 0
        assert await world.lead() == 0
        assert [job["state"] for job in read_tables(world.folder).requests] == [State.DONE, State.DONE]
        assert sorted(world.paid.values()) == [1, 1]
        assert len([each for each in world.posts if each.attachments]) == 2
