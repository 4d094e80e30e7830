"""Lines and colours that the cards of several features have in common."""

import discord

from bot.cards.base.words import moment, money
from bot.workflows.base.types import Forecast
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


def forecast_of(forecast: Forecast | None) -> str:
    """When something will be ready: half of such things are at the first moment, nine of ten at the second."""
    if forecast is None or forecast.latest is None:
        return "taking longer than usual"
    seldom = f"seldom more than {moment(forecast.latest, 'R')}"
    return seldom if forecast.likely is None else f"usually {moment(forecast.likely, 'R')}, {seldom}"


def charged(cost: int | None) -> str:
    if cost is None:
        return "It may have been charged."
    return f"It was charged ({money(cost)})." if cost else "Nothing was charged."
