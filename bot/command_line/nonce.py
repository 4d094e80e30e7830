"""`python -m bot nonce`: what the bot's wallet has signed that is not final, and a way past a nonce that is stuck."""

import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.assembly.publishing import Story, story_of
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import Unavailable
from bot.http import client as http
from bot.story.sending.types import Mined, Reverted, Waiting
from storage.database import Database, open_database, open_to_read

GWEI = 10**9
TRIES = 5
"""How often a transfer that is not final yet is waited for, a minute each."""


async def show(settings: Settings) -> str:
    """The nonces that are signed and not final. It only looks, and so works beside a running bot.

    Raises:
        BotError: with a sentence that says what to mend.
    """
    async with _story(settings, open_to_read(settings.data_dir / "bot.db")) as story:
        return described(await story.sender.waiting(), story)


async def free(settings: Settings, nonce: int) -> str:
    """Use a nonce up with a transfer of nothing. It writes and signs, and so needs a bot that is stopped.

    What had the nonce is not lost: when the bot runs again, it is signed anew with the next one.

    Raises:
        BotError: with a sentence that says what to mend.
    """
    async with _story(settings, await open_database(settings.data_dir / "bot.db")) as story:
        end = await _free(story, nonce)
        return (
            f"Nonce {nonce} is used by a transfer of nothing: {story.network.tx_link(end.tx_hash)}\n"
            "Start the bot: what waited behind it goes on, and what had this nonce is signed anew."
        )


async def _free(story: Story, nonce: int) -> Mined | Reverted:
    for _ in range(TRIES - 1):
        with contextlib.suppress(Unavailable):
            return await story.sender.free(nonce)
    return await story.sender.free(nonce)


@asynccontextmanager
async def _story(settings: Settings, database: Database) -> AsyncGenerator[Story]:
    try:
        async with http.session() as session:
            yield story_of(settings, session, database, SystemClock())
    finally:
        await database.close()


def described(waiting: Waiting, story: Story) -> str:
    """What waits, in lines for the admin."""
    lines = [
        f"The bot's wallet {story.wallet.address} on {story.network.label}: the next nonce is {waiting.next_nonce}."
    ]
    if not waiting.held:
        return f"{lines[0]} Nothing is signed that is not final."
    for held in waiting.held:
        where = "the node has it" if held.at_node else "the node does NOT have it"
        lines.append(
            f"    {held.nonce}: {held.transaction_id}, {held.gas:,} units of gas at {held.max_fee / GWEI:,.6g} gwei or "
            f"less; {where}"
        )
        lines.append(f"        {story.network.tx_link(held.tx_hash)}")
    first = waiting.held[0]
    if first.nonce >= waiting.next_nonce:
        lines.append(
            f"A running bot sends and replaces these by itself. If nonce {first.nonce} is still here after ten "
            f"minutes, stop the bot and free it: python -m bot nonce free {first.nonce}"
        )
    return "\n".join(lines)
