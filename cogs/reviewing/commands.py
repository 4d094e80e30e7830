"""`/review`: the moderators' queue, walked one question at a time; several denied at once; the saved reasons."""

import discord
from discord import app_commands
from discord.ext import commands
from discord.ui import Select

from bot import limits
from bot.cards.reviewing.card import DIGEST
from bot.cards.reviewing.queue import EMPTY, choice_of, choices_text, denials_text
from bot.discord.buttons import Answer, Form, Press, Subject, acknowledge, read_choices, say
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.reviewing.queue import Queue
from cogs.reviewing.moderators import check_moderator, moderator
from cogs.reviewing.reasons import ask_reason, ask_which_reasons, read_reason, read_which_reasons, save_reason
from cogs.reviewing.showing import show_first, walk_on


class ReviewQueue(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    async def review(self, interaction: Interaction) -> None:
        """Walk through the approval requests that wait, the oldest first."""
        await acknowledge(interaction, Answer.PRIVATE)
        await check_moderator(interaction)
        if not await show_first(interaction, await _queue(interaction).list_for(moderator(interaction))):
            await interaction.edit_original_response(content=EMPTY)


async def go_on(interaction: Interaction, review_id: Subject) -> None:
    await check_moderator(interaction)
    await walk_on(interaction, await _queue(interaction).list_after(_guild_id(interaction), review_id))


async def go_back(interaction: Interaction, review_id: Subject) -> None:
    await check_moderator(interaction)
    await walk_on(interaction, await _queue(interaction).list_before(_guild_id(interaction), review_id))


async def look(interaction: Interaction, subject: Subject) -> None:
    """From a reminder: the question that it was about or, where that is decided, the next one."""
    await check_moderator(interaction)
    if not await show_first(interaction, await _queue(interaction).list_from(_guild_id(interaction), subject.id)):
        await interaction.edit_original_response(content=EMPTY)


async def open_denials(interaction: Interaction, review_id: Subject) -> None:
    """A form with the questions from this one on, of which some are denied for one reason."""
    await check_moderator(interaction)
    services = interaction.client.services
    deniable = await _queue(interaction).list_deniable(moderator(interaction), review_id, most=limits.CHOICES)
    if not deniable:
        raise Refused("Nothing waits here that you could deny together.")
    questions = [(review, await services.views.of(review.subject)) for review in deniable]
    form = Form("rev:alldenied", review_id, "Deny several requests")
    form.say(choices_text(services.faces, questions))
    options: list[discord.SelectOption] = []
    for place, (review, view) in enumerate(questions, start=1):
        label, description = choice_of(services.faces, place, review, view, now=services.kit.clock.now())
        value = f"{review.id}:{review.digest[:DIGEST]}"
        options.append(discord.SelectOption(label=label, value=value, description=description))
    form.ask("which", "Which ones?", Select[Form](options=options, min_values=1, max_values=len(options)))
    await ask_reason(interaction, form, "The members")
    await interaction.response.send_modal(form)


async def deny_several(interaction: Interaction, review_id: Subject) -> None:
    await check_moderator(interaction)
    services = interaction.client.services
    chosen = [Subject(each) for each in read_choices(interaction, "which")]
    digests = {each.id: each.detail for each in chosen if each.detail}
    reason = await read_reason(interaction)
    denials = await services.reviewing.decisions.deny_several(digests, moderator(interaction), reason=reason)
    await save_reason(interaction)
    views = {each.review_id: await services.views.of(each.review.subject) for each in denials if each.review}
    await walk_on(interaction, await _queue(interaction).list_from(_guild_id(interaction), review_id))
    await say(interaction, denials_text(services.faces, [(each, views.get(each.review_id)) for each in denials]))
    for denial in denials:  # Discord lets five edits through in five seconds, so they come last
        view = views.get(denial.review_id)
        if denial.review and view:
            await services.delivery.decided(denial.review, view)
            if not view.ended:
                await services.delivery.refresh(view)


async def open_reasons(interaction: Interaction, review_id: Subject) -> None:
    """A form with the saved reasons, to remove some."""
    await check_moderator(interaction)
    form = Form("rev:forget", review_id, "Saved reasons")
    await ask_which_reasons(interaction, form)
    await interaction.response.send_modal(form)


async def forget_reasons(interaction: Interaction, review_id: Subject) -> None:
    await check_moderator(interaction)
    reasons = await read_which_reasons(interaction)
    await interaction.client.services.reviewing.decisions.forget_reasons(moderator(interaction), reasons)
    await walk_on(interaction, await _queue(interaction).list_from(_guild_id(interaction), review_id))
    removed = "1 saved reason is" if len(reasons) == 1 else f"{len(reasons)} saved reasons are"
    await say(interaction, f"{removed} removed.")


def _queue(interaction: Interaction) -> Queue:
    return interaction.client.services.reviewing.queue


def _guild_id(interaction: Interaction) -> int:
    assert interaction.guild_id, "commands, buttons and forms are in communities only"
    return interaction.guild_id


async def setup(client: Client) -> None:
    for verb, press in {
        "rev:next": Press(go_on, Answer.SILENT),
        "rev:prev": Press(go_back, Answer.SILENT),
        "rev:look": Press(look, Answer.PRIVATE),
        "rev:several": Press(open_denials, Answer.FORM),
        "rev:alldenied": Press(deny_several, Answer.SILENT),
        "rev:reasons": Press(open_reasons, Answer.FORM),
        "rev:forget": Press(forget_reasons, Answer.SILENT),
    }.items():
        client.presses.register(verb, press)
    await client.add_cog(ReviewQueue(client))
