"""A member's last requests."""

from collections.abc import Sequence

from bot import limits
from bot.cards.base.words import counted, moment, money, quoted
from bot.workflows.drawing.types import RequestView
from storage.base.jobs import State


def history_text(views: Sequence[RequestView]) -> str:
    """A member's last requests, newest first, as many as fit into one message."""
    if not views:
        return "You have not asked for any picture yet. `/imagine` draws one."
    text = "### Your last requests"
    for view in views:
        line = "\n" + _history_line(view)
        if len(text) + len(line) > limits.ANSWER_CHARACTERS:
            break
        text += line
    return text


def _history_line(view: RequestView) -> str:
    match view.state:
        case State.DONE if view.deleted:
            state = "deleted"
        case State.DONE:
            state = counted(len(view.images))
        case State.UNKNOWN:
            state = "outcome unknown"
        case State.FAILED | State.CANCELLED as ended:
            state = ended.value
        case _:
            state = "under way"
    cost = f", {money(view.cost)}" if view.ended and view.cost else ""
    return f"`{view.job.id}` {moment(view.job.created_at, 'R')}: {quoted(view.request.prompt, 60)} ({state}{cost})"
