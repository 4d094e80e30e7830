"""The reason of a denial: typed, or one of those that the community has saved."""

import hashlib
from collections.abc import Sequence

import discord
from discord.ui import Checkbox, Select, TextInput

from bot import limits
from bot.cards.base.words import shortened
from bot.discord.buttons import YES, Form, read_choices, read_fields
from bot.discord.client import Interaction
from bot.errors import Refused
from cogs.reviewing.moderators import moderator

MOST_REASON = 500
"""Characters of a reason: the member reads it on their card."""


async def ask_reason(interaction: Interaction, form: Form, who: str) -> None:
    """Ask for a reason: a saved one, or one's own words. Takes at most three parts of the form."""
    options = _options(await _load_reasons(interaction))
    if options:
        form.ask("saved", "A saved reason", Select[Form](options=options, min_values=0, required=False))
    own = TextInput[Form](style=discord.TextStyle.paragraph, max_length=MOST_REASON, required=not options)
    label = "Or in your own words" if options else "Why?"
    form.ask("reason", label, own, f"{who} will read this.")
    form.ask("keep", "Keep these words for next time", Checkbox[Form](), "As a saved reason of this server.")


async def read_reason(interaction: Interaction) -> str:
    """The reason of a sent form: the saved one, one's own words, or both.

    Raises:
        Refused: the saved one was removed meanwhile.
    """
    fields = read_fields(interaction)
    own, key = fields.get("reason", "").strip(), fields.get("saved", "")
    if not key:
        return own
    saved = next((each for each in await _load_reasons(interaction) if _key(each) == key), None)
    if saved is None:
        raise Refused("That saved reason was removed meanwhile. Nothing was denied: please choose or write another.")
    return f"{saved}\n{own}" if own else saved


async def save_reason(interaction: Interaction) -> None:
    """Save one's own words, where the sender of the form has ticked that."""
    fields = read_fields(interaction)
    own = fields.get("reason", "").strip()
    if own and fields.get("keep") == YES:
        await interaction.client.services.reviewing.decisions.save_reason(moderator(interaction), own)


async def ask_which_reasons(interaction: Interaction, form: Form) -> None:
    """Ask which of the saved reasons to remove.

    Raises:
        Refused: none is saved.
    """
    options = _options(await _load_reasons(interaction))
    if not options:
        raise Refused("No reason is saved here. Tick “Keep these words for next time” when you deny something.")
    field = Select[Form](options=options, min_values=1, max_values=len(options))
    form.ask("which", "Which ones shall be removed?", field, "They are not offered any more; no decision changes.")


async def read_which_reasons(interaction: Interaction) -> list[str]:
    """The saved reasons that were chosen to be removed, without those that are removed already."""
    keys = read_choices(interaction, "which")
    return [each for each in await _load_reasons(interaction) if _key(each) in keys]


async def _load_reasons(interaction: Interaction) -> tuple[str, ...]:
    """What this community's moderators have saved."""
    assert interaction.guild_id, "commands and buttons are in communities only"
    return await interaction.client.services.reviewing.decisions.saved_reasons(interaction.guild_id)


def _options(reasons: Sequence[str]) -> list[discord.SelectOption]:
    return [discord.SelectOption(label=_label(each), value=_key(each)) for each in reasons if each]


def _label(reason: str) -> str:
    return shortened(" ".join(reason.split()), limits.CHOICE_CHARACTERS)


def _key(reason: str) -> str:
    """The key of a reason in a form: it may be removed, or another put before it, while the form is open."""
    return hashlib.blake2b(reason.encode(), digest_size=8).hexdigest()
