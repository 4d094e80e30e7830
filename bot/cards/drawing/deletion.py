"""The question before a request's pictures are deleted, and what it becomes."""

from collections.abc import Mapping

from bot.cards.base.layout import Card, compose, row, text
from bot.cards.base.lines import DANGER, footer
from bot.cards.base.words import counted, listed
from bot.cards.drawing.lines import prompt_of
from bot.discord.buttons import button
from bot.workflows.drawing.types import RequestView
from storage.registering.transitions import UNDER_WAY, RegistrationState


def deletion_question(view: RequestView, registered: Mapping[RegistrationState, int], copy_id: int | None) -> Card:
    """Asked before pictures are deleted for good. `copy_id` is the message that is no card and goes with them."""
    gone = [
        f"its {counted(len(view.images))}" if len(view.images) > 1 else "the picture",
        "the sheet that compares them" if view.request.sweep else None,
        "what was put in to make it" if view.request.inputs else None,
    ]
    subject = view.job.id if copy_id is None else f"{view.job.id}:{copy_id}"
    return compose(
        [
            text(
                "### Delete these pictures?" if len(view.images) > 1 else "### Delete this picture?",
                prompt_of(view),
            ),
            text(
                f"Gone for good, here and on the bot's disk: {listed([each for each in gone if each])}. "
                f"Nobody can edit, vary, show or register {'them' if len(view.images) > 1 else 'it'} any more. "
                "Nothing is paid back.",
                *_registration_lines(registered),
                "Dismiss this message to keep everything.",
                footer(view.job),
            ),
            *row([button("img:deleted", subject, "Delete for good", style=DANGER)]),
        ]
    )


def deletion_card(*sentences: str) -> Card:
    """What the question becomes."""
    return compose([text("### Deleted", *sentences)])


def _registration_lines(registered: Mapping[RegistrationState, int]) -> list[str]:
    """What deleting does not take back."""
    confirmed = registered.get(RegistrationState.CONFIRMED, 0)
    under_way = sum(registered.get(state, 0) for state in UNDER_WAY)
    lines: list[str] = []
    if confirmed:
        which = "It is registered as IP and stays" if confirmed == 1 else f"{confirmed} are registered as IP and stay"
        lines.append(f"⚠️ **{which} public for good:** the file on IPFS, its licence on Story. Nobody can undo that.")
    if under_way:
        which = "A registration of it is" if under_way == 1 else f"{under_way} registrations of them are"
        lines.append(f"⚠️ **{which} under way, and deleting does not stop that.** “Withdraw” on its card does.")
    if registered.get(RegistrationState.DRAFT):
        lines.append("A registration that was begun and not submitted can be submitted no more.")
    return lines
