"""Trying out many deaths at once, each in a world of its own."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import pytest

from tests.crash.world import World

AT_ONCE = 5
IDLE = re.compile(r"(Worker\._claim nothing|Worker\._keep_leases|note_alive|Decisions\.expire) #(?!1$)")
"""What a bot does again and again, whether or not there is something to do."""

AnyWorld = TypeVar("AnyWorld", bound=World)


def check_exit_codes(codes: Iterable[int], *expected: int) -> list[str]:
    return [f"a life ended with {code}" for code in codes if code not in expected]


async def try_out(
    trials: Mapping[str, Callable[[AnyWorld], Awaitable[list[str]]]],
    world_of: Callable[[], AbstractAsyncContextManager[AnyWorld]],
) -> None:
    """Do all trials, each in its own world, and fail with all that went wrong.

    A trial that is named after a moment should meet it; where time decides, some do not.
    """
    missed: list[str] = []
    room = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, trial: Callable[[AnyWorld], Awaitable[list[str]]]) -> str | None:
        async with room, world_of() as world:
            try:
                complaints = await trial(world)
            except TimeoutError as error:
                complaints = [f"it never ended: {error!r}"]
            reached = world.reached()
            missed.extend([name] if "#" in name and not {*name.split(" and ")} & {*reached} else [])
            log = (world.folder / "log").read_text()[-2000:]
            lines = [f"{name}:", *complaints, f"last moments: {reached[-6:]}", log]
            return "\n  ".join(lines) if complaints else None

    failures = [each for each in await asyncio.gather(*(one(*item) for item in trials.items())) if each]
    if failures:
        pytest.fail(f"{len(failures)} of {len(trials)} failed\n" + "\n".join(failures[:10]), pytrace=False)
    assert len(missed) <= len(trials) / 5, missed
