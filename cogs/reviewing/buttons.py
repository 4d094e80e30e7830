"""The buttons of an approval request: approve, deny with a reason, ask, claim, and take an approval back."""

import discord
from discord.ui import TextInput

from bot.discord.buttons import Answer, Form, Press, Subject, read_fields
from bot.discord.client import Client, Interaction
from bot.workflows.reviewing.verbs import MOST_QUESTION
from cogs.reviewing.moderators import check_moderator, moderator
from cogs.reviewing.reasons import ask_reason, read_reason, save_reason
from cogs.reviewing.showing import show_change


async def approve(interaction: Interaction, subject: Subject) -> None:
    decisions = interaction.client.services.reviewing.decisions
    approval = decisions.decide(subject.id, moderator(interaction), approve=True, digest=subject.detail)
    await show_change(interaction, subject.id, approval)


async def open_denial(interaction: Interaction, subject: Subject) -> None:
    """A form that asks for the reason. Who may not decide does not get as far as typing one."""
    await interaction.client.services.reviewing.decisions.check_may_decide(subject.id, moderator(interaction))
    form = Form("rev:denied", subject, "Deny this request")
    await ask_reason(interaction, form, "The member")
    await interaction.response.send_modal(form)


async def deny(interaction: Interaction, subject: Subject) -> None:
    await check_moderator(interaction)
    reason = await read_reason(interaction)
    decisions = interaction.client.services.reviewing.decisions
    denial = decisions.decide(subject.id, moderator(interaction), approve=False, digest=subject.detail, reason=reason)
    await show_change(interaction, subject.id, denial)
    await save_reason(interaction)


async def open_question(interaction: Interaction, review_id: Subject) -> None:
    """A form for a question to the member, where one can be asked."""
    await interaction.client.services.reviewing.decisions.check_may_decide(review_id, moderator(interaction))
    form = Form("rev:asked", review_id, "Ask the member")
    question = TextInput[Form](style=discord.TextStyle.paragraph, max_length=MOST_QUESTION, required=True)
    form.ask("question", "What would you like to know?", question, "The member answers in a form; you see it here.")
    await interaction.response.send_modal(form)


async def ask(interaction: Interaction, review_id: Subject) -> None:
    decisions = interaction.client.services.reviewing.decisions
    question = read_fields(interaction).get("question", "")
    await show_change(interaction, review_id, decisions.ask(review_id, moderator(interaction), question))


async def claim(interaction: Interaction, review_id: Subject) -> None:
    decisions = interaction.client.services.reviewing.decisions
    await show_change(interaction, review_id, decisions.claim(review_id, moderator(interaction)))


async def undo(interaction: Interaction, review_id: Subject) -> None:
    decisions = interaction.client.services.reviewing.decisions
    await show_change(interaction, review_id, decisions.undo(review_id, moderator(interaction)))


async def setup(client: Client) -> None:
    for verb, press in {
        "rev:ok": Press(approve, Answer.SILENT),
        "rev:deny": Press(open_denial, Answer.FORM),
        "rev:denied": Press(deny, Answer.SILENT),
        "rev:ask": Press(open_question, Answer.FORM),
        "rev:asked": Press(ask, Answer.SILENT),
        "rev:claim": Press(claim, Answer.SILENT),
        "rev:undo": Press(undo, Answer.SILENT),
    }.items():
        client.presses.register(verb, press)
