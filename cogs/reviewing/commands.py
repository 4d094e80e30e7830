"""`/review`: the moderators' queue, walked one question at a time; several denied at once; the saved reasons."""

from collections.abc import Mapping, Sequence

import discord
from discord import app_commands
from discord.ext import commands
from discord.ui import Select

from bot import limits
from bot.cards.reviewing.queue import EMPTY, choice_of, choices_text, denials_text, queue_is_empty
from bot.discord.buttons import Answer, Form, Press, acknowledge, chosen, say
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.base.cards import CardView
from cogs.base.asking import check_moderator, moderator, reply
from cogs.reviewing.presses import (
    ask_reason,
    chosen_reasons,
    community_of,
    given_reason,
    keep_reason,
    open_questions,
    reason_options,
    show_question,
)
from storage.reviewing import reviews
from storage.reviewing.reviews import Review

DIGEST = 12
"""Characters of the digest of what was seen, as on the buttons of a card."""
ONE_BY_ONE = {"consent"}
"""Kinds that are not denied together: there a denial deletes something."""


class ReviewQueue(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    async def review(self, interaction: Interaction) -> None:
        """Walk through the approval requests that wait, the oldest first."""
        await acknowledge(interaction, Answer.PRIVATE)
        await check_moderator(interaction)
        waiting = await open_questions(interaction)
        first = await _first(interaction, waiting)
        if not await _show_first(interaction, [*waiting[first:], *waiting[:first]]):
            await interaction.edit_original_response(content=EMPTY)


async def forward(interaction: Interaction, review_id: str) -> None:
    await check_moderator(interaction)
    await _walk_on(interaction, _around(await open_questions(interaction), await _place(interaction, review_id)))


async def back(interaction: Interaction, review_id: str) -> None:
    await check_moderator(interaction)
    after = _around(await open_questions(interaction), await _place(interaction, review_id))
    at_it = [review for review in after if review.id == review_id]
    before = [review for review in reversed(after) if review.id != review_id]
    await _walk_on(interaction, [*before, *at_it])


async def look(interaction: Interaction, subject: str) -> None:
    """From a reminder: the question that it was about or, where that is decided, the next one."""
    await check_moderator(interaction)
    review_id, _, _ = subject.partition(":")
    waiting = await open_questions(interaction)
    found = [review for review in waiting if review.id == review_id]
    others = _around(waiting, await _place(interaction, review_id))
    if not await _show_first(interaction, [*found, *others]):
        await interaction.edit_original_response(content=EMPTY)


async def open_several(interaction: Interaction, review_id: str) -> None:
    """A form with the questions from this one on, of which some are denied for one reason."""
    await check_moderator(interaction)
    services = interaction.client.services
    waiting = await open_questions(interaction)
    here = [review for review in waiting if review.id == review_id]
    questions: list[tuple[Review, CardView | None]] = []
    for review in [*here, *_around(waiting, await _place(interaction, review_id))]:
        if review.kind in ONE_BY_ONE or review.id in {each.id for each, _ in questions}:
            continue
        if (await services.reviewing.decisions.standing(review, moderator(interaction))).bar is None:
            questions.append((review, await services.views.of(review.subject)))
        if len(questions) == limits.CHOICES:
            break
    if not questions:
        raise Refused("Nothing waits here that you could deny together.")
    form = Form("rev:alldenied", review_id, "Deny several requests")
    form.say(choices_text(services.faces, questions))
    options: list[discord.SelectOption] = []
    for place, (review, view) in enumerate(questions, start=1):
        label, description = choice_of(services.faces, place, review, view, now=services.kit.clock.now())
        value = f"{review.id}:{review.digest[:DIGEST]}"
        options.append(discord.SelectOption(label=label, value=value, description=description))
    form.ask("which", "Which ones?", Select[Form](options=options, min_values=1, max_values=len(options)))
    ask_reason(form, await community_of(interaction), "The members")
    await interaction.response.send_modal(form)


async def several_denied(interaction: Interaction, review_id: str) -> None:
    await check_moderator(interaction)
    assert interaction.guild_id, "forms are in communities only"
    services = interaction.client.services
    wanted = dict(each.split(":", 1) for each in chosen(interaction, "which") if ":" in each)
    reason = await given_reason(interaction)
    denials = await services.reviewing.decisions.deny_several(
        interaction.guild_id, wanted, moderator(interaction), reason=reason
    )
    await keep_reason(interaction)
    views: Mapping[str, CardView | None] = {
        denial.review_id: await services.views.of(denial.review.subject) for denial in denials if denial.review
    }
    await _walk_on(interaction, await _from(interaction, review_id))
    await say(interaction, denials_text(services.faces, [(denial, views.get(denial.review_id)) for denial in denials]))
    for denial in denials:  # Discord lets five edits through in five seconds, so they come last
        view = views.get(denial.review_id)
        if denial.review and view:
            await services.delivery.decided(denial.review, view)
            if not view.ended:
                await services.delivery.refresh(view)


async def open_reasons(interaction: Interaction, review_id: str) -> None:
    """A form with the saved reasons, to remove some."""
    await check_moderator(interaction)
    options = reason_options(await community_of(interaction))
    if not options:
        raise Refused("No reason is saved here. Tick “Keep these words for next time” when you deny something.")
    form = Form("rev:forget", review_id, "Saved reasons")
    field = Select[Form](options=options, min_values=1, max_values=len(options))
    form.ask("which", "Which ones shall be removed?", field, "They are not offered any more; no decision changes.")
    await interaction.response.send_modal(form)


async def reasons_forgotten(interaction: Interaction, review_id: str) -> None:
    await check_moderator(interaction)
    assert interaction.guild_id, "forms are in communities only"
    gone = chosen_reasons(await community_of(interaction), chosen(interaction, "which"))
    await interaction.client.services.reviewing.decisions.forget_reasons(
        interaction.guild_id, moderator(interaction), gone
    )
    await _walk_on(interaction, await _from(interaction, review_id))
    removed = "1 saved reason is" if len(gone) == 1 else f"{len(gone)} saved reasons are"
    await say(interaction, f"{removed} removed.")


# Where the walk is.


async def _first(interaction: Interaction, waiting: Sequence[Review]) -> int:
    """The place of the oldest question that this moderator may decide; the oldest of all where there is none."""
    who, services = moderator(interaction), interaction.client.services
    now = services.kit.clock.now()
    for place, review in enumerate(waiting):
        held = review.claimed_by not in {None, who.user_id} and (review.claimed_until or 0) >= now
        if not held and (await services.reviewing.decisions.standing(review, who)).bar is None:
            return place
    return 0


async def _place(interaction: Interaction, review_id: str) -> tuple[float, str]:
    """Where a question is, or was, in the queue; before all others if nobody knows it any more."""
    async with interaction.client.services.kit.database.read() as db:
        review = await reviews.find(db, review_id)
    return (review.created_at, review.id) if review and review.guild_id == interaction.guild_id else (0.0, "")


def _around(waiting: Sequence[Review], place: tuple[float, str]) -> list[Review]:
    """All that waits, beginning behind `place` and ending with what is there."""
    behind = [review for review in waiting if (review.created_at, review.id) > place]
    return [*behind, *waiting[: len(waiting) - len(behind)]]


async def _from(interaction: Interaction, review_id: str) -> list[Review]:
    """All that waits, beginning with this question if it does."""
    waiting = await open_questions(interaction)
    here = [review for review in waiting if review.id == review_id]
    return [*here, *_around(waiting, await _place(interaction, review_id))]


async def _walk_on(interaction: Interaction, waiting: Sequence[Review]) -> None:
    """Turn the card that was pressed into the first of these questions."""
    if not await _show_first(interaction, waiting):
        await reply(interaction, queue_is_empty())


async def _show_first(interaction: Interaction, waiting: Sequence[Review]) -> bool:
    """Show the first whose subject is still there; False where there is none."""
    for review in waiting:
        if await show_question(interaction, review):
            return True
    return False


async def setup(client: Client) -> None:
    for verb, press in {
        "rev:next": Press(forward, Answer.SILENT),
        "rev:prev": Press(back, Answer.SILENT),
        "rev:look": Press(look, Answer.PRIVATE),
        "rev:several": Press(open_several, Answer.FORM),
        "rev:alldenied": Press(several_denied, Answer.SILENT),
        "rev:reasons": Press(open_reasons, Answer.FORM),
        "rev:forget": Press(reasons_forgotten, Answer.SILENT),
    }.items():
        client.presses.register(verb, press)
    await client.add_cog(ReviewQueue(client))
