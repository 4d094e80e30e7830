"""What a press on an approval request has in common with all others: whose it is, and what is shown afterwards."""

import hashlib
from collections.abc import Awaitable

import discord
from discord.ui import Checkbox, Select, TextInput

from bot import limits
from bot.cards.base.layout import Card
from bot.cards.base.words import shortened
from bot.cards.reviewing.queue import walked
from bot.discord.buttons import YES, Form, custom_ids, given
from bot.discord.client import Interaction
from bot.errors import Refused
from bot.workflows.base.cards import CardView
from cogs.base.asking import moderates, moderator, reply
from storage.community import communities
from storage.community.communities import Community
from storage.reviewing import reviews
from storage.reviewing.reviews import Review

MOST_REASON = 500
"""Characters of a reason: the member reads it on their card."""
MOST_WALKED = 1000
"""Open questions of one community that the walk counts."""
_WALK = ("1:rev:prev:", "1:rev:next:")
"""The buttons by which a card is known as a step of the walk through the queue."""


async def check_community(interaction: Interaction, review_id: str) -> Review:
    """
    Raises:
        Refused: there is no such question here.
    """
    review = await interaction.client.services.reviewing.decisions.find(review_id)
    if review.guild_id != interaction.guild_id:
        raise Refused("This approval request is another server's.")
    return review


async def show_change(interaction: Interaction, review_id: str, change: Awaitable[Review]) -> Review:
    """Show what a moderator's press has changed; what it was too late for shows the card that was pressed, too."""
    try:
        review = await change
    except Refused:
        if await moderates(interaction):
            await show_decided(interaction, await interaction.client.services.reviewing.decisions.find(review_id))
        raise
    await show_decided(interaction, review)
    return review


async def show_decided(interaction: Interaction, review: Review) -> None:
    """Bring the question's card and the request's up to date, and the copy of the question that was pressed."""
    services = interaction.client.services
    view = await services.views.of(review.subject)
    if view is None:
        return
    shown = await services.delivery.decided(review, view)
    if not view.ended:  # else the worker shows its end
        await services.delivery.refresh(view)
    if interaction.message and (interaction.message.id != review.message_id or not shown):
        card = await walk_card(interaction, review, view) if _walks(interaction) else _card(interaction, review, view)
        await reply(interaction, card)


async def show_question(interaction: Interaction, review: Review) -> bool:
    """Make the answer a step of the walk through the queue; False where nobody knows any more what was asked."""
    view = await interaction.client.services.views.of(review.subject)
    if view is None:
        return False
    await reply(interaction, await walk_card(interaction, review, view))
    return True


async def open_questions(interaction: Interaction) -> list[Review]:
    """What waits in this community, oldest first."""
    assert interaction.guild_id, "commands and buttons are in communities only"
    async with interaction.client.services.kit.database.read() as db:
        return await reviews.open_ones(db, interaction.guild_id, limit=MOST_WALKED)


async def walk_card(interaction: Interaction, review: Review, view: CardView) -> Card:
    """A question's card as a step of the walk, for the moderator who looks at it."""
    waiting = [each.id for each in await open_questions(interaction)]
    standing = await interaction.client.services.reviewing.decisions.standing(review, moderator(interaction))
    return walked(
        _card(interaction, review, view),
        review,
        place=waiting.index(review.id) + 1 if review.id in waiting else None,
        count=len(waiting),
        standing=standing,
        kept=len((await community_of(interaction)).saved_reasons),
    )


async def community_of(interaction: Interaction) -> Community:
    assert interaction.guild_id, "commands and buttons are in communities only"
    async with interaction.client.services.kit.database.read() as db:
        return await communities.find(db, interaction.guild_id)


def _card(interaction: Interaction, review: Review, view: CardView) -> Card:
    return interaction.client.services.faces.review_card(review, view)


def _walks(interaction: Interaction) -> bool:
    pressed = interaction.message.components if interaction.message else []
    return any(each.startswith(_WALK) for each in custom_ids(pressed))


# Reasons.


def ask_reason(form: Form, community: Community, who: str) -> None:
    """Ask for a reason: one of those that were kept, or one's own words. Takes at most three parts of the form."""
    kept = reason_options(community)
    if kept:
        form.ask("saved", "A saved reason", Select[Form](options=kept, min_values=0, required=False))
    own = TextInput[Form](style=discord.TextStyle.paragraph, max_length=MOST_REASON, required=not kept)
    label = "Or in your own words" if kept else "Why?"
    form.ask("reason", label, own, f"{who} will read this.")
    form.ask("keep", "Keep these words for next time", Checkbox[Form](), "As a saved reason of this server.")


async def given_reason(interaction: Interaction) -> str:
    """The reason of a sent form: the saved one, one's own words, or both.

    Raises:
        Refused: the saved one was removed meanwhile.
    """
    said = given(interaction)
    own, key = said.get("reason", "").strip(), said.get("saved", "")
    if not key:
        return own
    saved = next((each for each in (await community_of(interaction)).saved_reasons if _key(each) == key), None)
    if saved is None:
        raise Refused("That saved reason was removed meanwhile. Nothing was denied: please choose or write another.")
    return f"{saved}\n{own}" if own else saved


async def keep_reason(interaction: Interaction) -> None:
    """Save one's own words, where the sender of the form has ticked that."""
    said = given(interaction)
    own = said.get("reason", "").strip()
    if own and said.get("keep") == YES:
        assert interaction.guild_id, "forms are in communities only"
        await interaction.client.services.reviewing.decisions.keep_reason(
            interaction.guild_id, moderator(interaction), own
        )


def reason_options(community: Community) -> list[discord.SelectOption]:
    """The saved reasons, to be chosen."""
    return [discord.SelectOption(label=_label(each), value=_key(each)) for each in community.saved_reasons if each]


def chosen_reasons(community: Community, keys: list[str]) -> list[str]:
    """The saved reasons that were chosen, as far as they are there still."""
    return [each for each in community.saved_reasons if _key(each) in keys]


def _label(reason: str) -> str:
    return shortened(" ".join(reason.split()), limits.CHOICE_CHARACTERS)


def _key(reason: str) -> str:
    """What stands for a reason in a form: it may be removed, or another put before it, while the form is open."""
    return hashlib.blake2b(reason.encode(), digest_size=8).hexdigest()
