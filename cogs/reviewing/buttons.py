"""The buttons of an approval request: approve, deny with a reason, ask, claim, and take an approval back."""

import discord
from discord.ui import TextInput

from bot.discord.buttons import Answer, Form, Press, given
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.reviewing.verbs import MOST_QUESTION
from cogs.base.asking import check_moderator, moderator
from cogs.reviewing.presses import ask_reason, check_community, community_of, given_reason, keep_reason, show_change
from storage.reviewing.reviews import Review, ReviewState


async def approve(interaction: Interaction, subject: str) -> None:
    review_id, _, digest = subject.partition(":")
    await check_community(interaction, review_id)
    decisions = interaction.client.services.reviewing.decisions
    await show_change(
        interaction, review_id, decisions.decide(review_id, moderator(interaction), approve=True, digest=digest)
    )


async def open_denial(interaction: Interaction, subject: str) -> None:
    """A form that asks for the reason. Who may not decide does not get as far as typing one."""
    review_id, _, _ = subject.partition(":")
    review = await check_community(interaction, review_id)
    await _check_may_decide(interaction, review)
    form = Form("rev:denied", subject, "Deny this request")
    ask_reason(form, await community_of(interaction), "The member")
    await interaction.response.send_modal(form)


async def denied(interaction: Interaction, subject: str) -> None:
    review_id, _, digest = subject.partition(":")
    await check_community(interaction, review_id)
    await check_moderator(interaction)
    reason = await given_reason(interaction)
    decisions = interaction.client.services.reviewing.decisions
    denial = decisions.decide(review_id, moderator(interaction), approve=False, digest=digest, reason=reason)
    await show_change(interaction, review_id, denial)
    await keep_reason(interaction)


async def open_asking(interaction: Interaction, review_id: str) -> None:
    """A form for a question to the member, where one can be asked."""
    review = await check_community(interaction, review_id)
    await _check_may_decide(interaction, review)
    form = Form("rev:asked", review_id, "Ask the member")
    question = TextInput[Form](style=discord.TextStyle.paragraph, max_length=MOST_QUESTION, required=True)
    form.ask("question", "What would you like to know?", question, "The member answers in a form; you see it here.")
    await interaction.response.send_modal(form)


async def asked(interaction: Interaction, review_id: str) -> None:
    await check_community(interaction, review_id)
    decisions = interaction.client.services.reviewing.decisions
    asking = decisions.ask(review_id, moderator(interaction), given(interaction).get("question", ""))
    await show_change(interaction, review_id, asking)


async def claim(interaction: Interaction, review_id: str) -> None:
    await check_community(interaction, review_id)
    claiming = interaction.client.services.reviewing.decisions.claim(review_id, moderator(interaction))
    await show_change(interaction, review_id, claiming)


async def undo(interaction: Interaction, review_id: str) -> None:
    await check_community(interaction, review_id)
    undoing = interaction.client.services.reviewing.decisions.undo(review_id, moderator(interaction))
    await show_change(interaction, review_id, undoing)


async def _check_may_decide(interaction: Interaction, review: Review) -> None:
    """
    Raises:
        Refused: the presser is no moderator here, or must not decide on this.
    """
    await check_moderator(interaction)
    standing = await interaction.client.services.reviewing.decisions.standing(review, moderator(interaction))
    if review.state is ReviewState.OPEN and standing.bar:
        raise Refused(standing.bar)


async def setup(client: Client) -> None:
    for verb, press in {
        "rev:ok": Press(approve, Answer.SILENT),
        "rev:deny": Press(open_denial, Answer.FORM),
        "rev:denied": Press(denied, Answer.SILENT),
        "rev:ask": Press(open_asking, Answer.FORM),
        "rev:asked": Press(asked, Answer.SILENT),
        "rev:claim": Press(claim, Answer.SILENT),
        "rev:undo": Press(undo, Answer.SILENT),
    }.items():
        client.presses.register(verb, press)
