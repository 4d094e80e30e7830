"""The messages that tell a registration's owner by name what has happened to it."""

from bot.cards.base.faces import News
from bot.cards.base.layout import compose, row, text
from bot.cards.base.lines import DONE, FAILED, PRIMARY, UNSURE
from bot.cards.base.words import quoted, sentence
from bot.cards.registering.card import proof_of
from bot.cards.registering.parts import card_link, title_of
from bot.discord.buttons import PressButton, button
from bot.workflows.registering.types import RegistrationView

_COLOURS = {"registered": DONE, "denied": FAILED, "failed": FAILED}


def registration_news(view: RegistrationView, about: str, once: str) -> News:
    """A short message that begins with the owner's name: `registered`, `denied`, `expired`, `failed` or `asked`.

    `once` names the occasion. One of its buttons carries it, so that the message can be recognised after a crash.
    """
    registration = view.registration
    show = button("reg:show", f"{registration.id}:{about}.{once}", "Details")
    news, buttons = _write_news(view, about)
    card = compose(
        [text(f"<@{registration.owner_id}>: {news}", card_link(view.job)), *row([*buttons, show])],
        colour=_COLOURS.get(about, UNSURE),
    )
    return News(card, registration.owner_id)


def _write_news(view: RegistrationView, about: str) -> tuple[str, list[PressButton]]:
    registration, review = view.registration, view.review
    title = f"**{title_of(view.terms.content.title)}**"
    again = button("reg:again", registration.id, "Edit and submit again", style=PRIMARY)
    by = f"<@{review.decided_by}>" if review and review.decided_by else "A moderator"
    match about:
        case "registered":
            where = ""
            if registration.ip_id:
                where = f" as [{registration.ip_id}]({view.network.ip_link(registration.ip_id)})"
            read = "Its card gets a tick once it has been read back and all agrees."
            if view.outcome and (view.outcome.chain or view.outcome.unread):
                read = proof_of(view)
            return f"{title} is registered{where}. You were charged nothing.\n{read}", []
        case "denied":
            reason = review.reason if review and review.reason else registration.error
            why = f": {quoted(reason, 600)}" if reason else ", without a reason."
            return f"{by} has denied {title}{why}\nNothing was pinned, minted or charged. You can submit it again.", [
                again
            ]
        case "expired":
            why = "No moderator has answered in time about"
            return f"{why} {title}. Nothing was pinned, minted or charged. Ask one, then submit it again.", [again]
        case "asked":
            asked = view.talk[-1] if view.talk else None
            who = f"<@{asked.asked_by}>" if asked else "A moderator"
            what = f": {quoted(asked.question, 600)}" if asked else "."
            answer = button("reg:answer", registration.id, "Answer", style=PRIMARY)
            return f"{who} asks about {title}{what}\nIt waits for your answer.", [answer]
        case "failed":
            why = sentence(registration.error or view.job.error or "Nobody knows why.", 400)
            retry = (
                [button("reg:retry", registration.id, "Try again", style=PRIMARY)] if registration.approval_id else []
            )
            paid = "You were charged nothing."
            return f"{title} could not be registered. {why} {paid}", [*retry, again]
        case _:
            return f"There is something new about {title}.", []
