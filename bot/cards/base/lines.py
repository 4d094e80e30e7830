"""Lines and colours that the cards of several features have in common."""

import discord

from bot.cards.base.words import money
from storage.base.jobs import Job

WAITING, DONE, FAILED, UNSURE = (
    discord.Colour.blurple(),
    discord.Colour.green(),
    discord.Colour.red(),
    discord.Colour.gold(),
)
PRIMARY, SUCCESS, DANGER = discord.ButtonStyle.primary, discord.ButtonStyle.success, discord.ButtonStyle.danger


def small(*facts: str | None) -> str:
    return "-# " + " · ".join(fact for fact in facts if fact)


def footer(job: Job) -> str:
    return f"-# `{job.id}`"


def joined(*facts: str | None) -> str:
    line = " · ".join(fact for fact in facts if fact)
    return f"{line[:1].upper()}{line[1:]}."


def charged(cost: int | None) -> str:
    if cost is None:
        return "It may have been charged."
    return f"It was charged ({money(cost)})." if cost else "Nothing was charged."
