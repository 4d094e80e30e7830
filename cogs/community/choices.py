"""What a member can choose from in a command, as the catalogue offers it and the community allows it."""

from collections.abc import Sequence
from typing import Any

from discord.app_commands import Choice, Range

from bot import limits
from bot.cards.base.words import money
from bot.discord.client import Interaction
from bot.providers.parameters import Model
from bot.workflows.community.limits import MOST_PICTURES, allowed_models
from bot.workflows.community.models import editors, painters

Count = Range[int, 1, MOST_PICTURES]
Safety = Range[int, 0, 6]

RATIOS = ("1:1", "16:9", "9:16", "3:2", "2:3", "4:3", "3:4", "4:5", "5:4", "21:9", "9:21")
FORMATS = [Choice(name=name, value=name) for name in ("jpeg", "png", "webp")]


async def suggest_painters(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """The models that draw from words."""
    return await suggest_of(interaction, painters(), typed)


async def suggest_editors(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """The models that change an image."""
    return await suggest_of(interaction, editors(), typed)


async def suggest_ratios(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """Usual shapes; any other may be typed."""
    ratios = [ratio for ratio in RATIOS if ratio.startswith(typed.strip())]
    return [Choice(name=ratio, value=ratio) for ratio in ratios or ([typed.strip()[:20]] if typed.strip() else [])]


async def suggest_of(interaction: Interaction, models: Sequence[Model], typed: str) -> list[Choice[str]]:
    """Those of `models` that the community allows and that the typed words fit."""
    assert interaction.guild_id, "commands are in communities only"
    community = await interaction.client.services.community.communities.find(interaction.guild_id)
    words = typed.casefold().split()
    fitting = [
        model
        for model in allowed_models(models, community)
        if all(word in f"{model.key} {model.label} {model.good_for}".casefold() for word in words)
    ]
    return [model_choice(model) for model in fitting[: limits.CHOICES]]


def model_choice(model: Model) -> Choice[Any]:
    """A model with what it is good for and its price, in the 100 characters that Discord gives."""
    price = money(model.price.first)
    room = limits.CHOICE_CHARACTERS - len(model.label) - len(price) - 6
    good_for = model.good_for if len(model.good_for) <= room else model.good_for[: room - 1] + "…"
    return Choice(name=f"{model.label} — {good_for} — {price}", value=model.key)
