"""The card of a registration, from its submission to the IP asset, for all who see the channel."""

from bot.cards.base.layout import Card, compose, gallery, row, text
from bot.cards.base.lines import DANGER, DONE, FAILED, PRIMARY, UNSURE, WAITING, footer, small
from bot.cards.base.words import counted, escaped, listed, moment, quoted, sentence
from bot.cards.registering.parts import (
    FREE,
    LEAST,
    address_link,
    licence_of,
    preview_in,
    roomy,
    short,
    title_of,
    waiting_reason,
)
from bot.discord.buttons import PressButton, button
from bot.workflows.base.files import FilePaths
from bot.workflows.registering.types import RegistrationView
from storage.base.jobs import NEVER, State
from storage.registering.transitions import UNDER_WAY, WITHDRAWABLE, RegistrationState
from storage.reviewing.reviews import ReviewState

_OVER = {
    RegistrationState.DENIED: "denied",
    RegistrationState.WITHDRAWN: "withdrawn",
    RegistrationState.EXPIRED: "not decided in time",
    RegistrationState.FAILED: "not registered",
    RegistrationState.CONFIRMED: "registered",
}
_NOW = {
    RegistrationState.SUBMITTED: "waiting for a moderator",
    RegistrationState.APPROVED: "approved",
    RegistrationState.PINNING: "being pinned",
    RegistrationState.PINNED: "being signed",
    RegistrationState.SIGNED: "being sent",
    RegistrationState.SENT: "waiting for the chain",
}
_COLOURS = {
    RegistrationState.CONFIRMED: DONE,
    RegistrationState.DENIED: FAILED,
    RegistrationState.FAILED: FAILED,
    RegistrationState.WITHDRAWN: None,
    RegistrationState.EXPIRED: None,
}
_DONE, _NEXT, _LATER, _NOT, _UNSURE = "✅", "⏳", "▫️", "❌", "❔"
_ORDER = (*UNDER_WAY, RegistrationState.CONFIRMED)


def registration_card(view: RegistrationView, paths: FilePaths) -> Card:
    """How far it is, step by step, and what can be done about it now."""
    files = preview_in(view, paths)
    content, state = view.terms.content, view.state
    heading = "asked about" if view.question else {**_NOW, **_OVER}[state]
    if _is_stopped(view):
        heading = "stopped"

    def draw(room: int) -> Card:
        about = quoted(content.description, room) if content.description and room > LEAST else None
        return compose(
            [
                text(
                    f"### {title_of(content.title)}: {heading}",
                    f"A picture of <@{view.registration.owner_id}>, on {escaped(view.network.label)}.",
                    f"> {about}" if about else None,
                ),
                *([gallery(files)] if files else []),
                text(*_step_lines(view, room)),
                text(*_advice_lines(view, room), footer(view.job)),
                *row(_buttons(view)),
            ],
            colour=UNSURE if _is_unsure(view) else _COLOURS.get(state, WAITING),
            files=files,
        )

    return roomy(draw)


def list_differences(view: RegistrationView) -> list[str]:
    """Where the chain and the pinned files differ from what was approved, as far as they were read back."""
    outcome, registration = view.outcome, view.registration
    if outcome is None:
        return []
    names = {
        registration.image_cid: "The pinned picture",
        registration.ip_cid: "The pinned IP metadata",
        registration.nft_cid: "The pinned NFT metadata",
    }
    on_chain = [check.sentence for check in outcome.chain.checks if not check.good] if outcome.chain else []
    return on_chain + [f"{names.get(cid, 'A pinned file')} has other bytes." for cid, good in outcome.files if not good]


def proof_of(view: RegistrationView, room: int = 400) -> str:
    """The line of the last step. It has a tick only where everything was read back and agrees."""
    outcome = view.outcome
    if outcome is None:
        return f"{_LATER} Read back and verified"
    if outcome.proven:
        return f"{_DONE} **Read back and verified:** the chain and the pinned files say exactly what was approved."
    if differs := list_differences(view):
        first = " ".join(sentence(each, max(room, 100)) for each in differs[:3])
        more = f" And {counted(len(differs) - 3, 'more difference')}." if len(differs) > 3 else ""
        return f"{_NOT} **Read back, and something differs:** {first}{more} The admin is told. It is read again."
    if outcome.unread:
        why = sentence(outcome.unread, max(room, 100))
        return f"{_UNSURE} **Not verified:** {why} Nobody knows yet whether all agrees; it is read again."
    return f"{_NEXT} Reading it back from the chain and from IPFS"


def _is_stopped(view: RegistrationView) -> bool:
    """Whether its job was ended by a bug."""
    return view.job.state.ended and view.state in UNDER_WAY


def _is_unsure(view: RegistrationView) -> bool:
    return _is_stopped(view) or bool(list_differences(view))


# Step by step.


def _step_lines(view: RegistrationView, room: int) -> list[str]:
    """A tick for each step that is done, an hourglass for the next one; steps that cannot follow are left out."""
    lines = [_submission_line(view), *_decision_lines(view, room)]
    over = view.state in {RegistrationState.DENIED, RegistrationState.WITHDRAWN, RegistrationState.EXPIRED}
    for line, reached in (
        (_pinning_line(view), _place_of(view) >= 3),
        (_sending_line(view), _place_of(view) >= 5),
        (_registration_line(view), _place_of(view) >= 6),
    ):
        if reached or not (over or view.state is RegistrationState.FAILED):
            lines.append(line)
    if not over and view.state is not RegistrationState.FAILED:
        lines.append(proof_of(view, room))
    return lines


def _place_of(view: RegistrationView) -> int:
    """The place of its state in the order; where it is over, the place of the last step that left a trace."""
    if view.state in _ORDER:
        return _ORDER.index(view.state)
    registration = view.registration
    if registration.tx_hash:
        return 5
    return 3 if registration.ip_cid and registration.nft_cid else 0


def _submission_line(view: RegistrationView) -> str:
    at = view.registration.submitted_at
    return f"{_DONE} **Submitted** {moment(at, 'R')}" if at else f"{_DONE} **Submitted**"


def _decision_lines(view: RegistrationView, room: int) -> list[str]:
    review, state = view.review, view.state
    by = f" by <@{review.decided_by}>" if review and review.decided_by else ""
    when = f" {moment(review.decided_at, 'R')}" if review and review.decided_at else ""
    match state:
        case RegistrationState.SUBMITTED:
            return [*_question_lines(view, room), f"{_LATER} Approved"]
        case RegistrationState.DENIED:
            reason = review.reason if review and review.reason else view.registration.error
            why = f": {quoted(reason, max(room, 200))}" if reason else ", without a reason."
            return [f"{_NOT} **Denied**{by}{when}{why}"]
        case RegistrationState.EXPIRED:
            return [f"{_NOT} No moderator answered in time."]
        case RegistrationState.WITHDRAWN:
            approved = review is not None and review.state is ReviewState.APPROVED
            return [*([f"{_DONE} **Approved**{by}{when}"] if approved else []), f"{_NOT} **Withdrawn** by its owner"]
        case _:
            override = f" (the admin's override let them: {sentence(view.overridden, 120)})" if view.overridden else ""
            return [f"{_DONE} **Approved**{by}{when}{override}{_undo_clause(view)}"]


def _question_lines(view: RegistrationView, room: int) -> list[str]:
    review = view.review
    closes = f" The question closes {moment(review.expires_at, 'R')}." if review else ""
    if view.question:
        asked = quoted(view.question.question, max(room, 200))
        return [f"{_NEXT} **<@{view.question.asked_by}> asks:** {asked}"]
    if view.claimed and review and review.claimed_until:
        return [f"{_DONE} **Claimed** by <@{view.claimed}>, who decides by {moment(review.claimed_until, 't')}."]
    return [f"{_NEXT} **A moderator has to look at it.**{closes}"]


def _undo_clause(view: RegistrationView) -> str:
    until = view.registration.undo_until
    if view.state is not RegistrationState.APPROVED or until is None:
        return ""
    return f"; can be undone until {moment(until, 'T')} ({moment(until, 'R')}), then it is pinned"


def _pinning_line(view: RegistrationView) -> str:
    registration = view.registration
    files = [
        (registration.image_cid, "picture"),
        (registration.ip_cid, "IP metadata"),
        (registration.nft_cid, "NFT metadata"),
    ]
    links = [f"[{name}]({view.terms.link(cid)})" for cid, name in files if cid]
    if _place_of(view) >= 3:
        gone = view.state is RegistrationState.WITHDRAWN
        kept = " It was unpinned again, as far as it had been." if gone else ""
        return f"{_DONE} **Pinned** to IPFS: {listed(links)}.{kept}"
    now = view.state is RegistrationState.PINNING
    return f"{_NEXT} **Pinning** to IPFS" if now else f"{_LATER} Pinned to IPFS"


def _sending_line(view: RegistrationView) -> str:
    link = _transaction_link(view)
    if _place_of(view) >= 6:
        return f"{_DONE} **Sent**{f': {link}' if link else ''}"
    match view.state:
        case RegistrationState.SENT:
            return f"{_DONE} **Sent**{f': {link}' if link else ''}. It cannot be withdrawn any more."
        case RegistrationState.SIGNED:
            return f"{_NEXT} **Signed**, and being sent{f': {link}' if link else ''}. It cannot be withdrawn any more."
        case RegistrationState.PINNED:
            return f"{_NEXT} **Signing** its transaction"
        case _:
            return f"{_NOT} **Sent**: {link}" if link else f"{_LATER} Sent to the chain"


def _transaction_link(view: RegistrationView) -> str | None:
    """The transaction that counts, or else the newest that was signed."""
    tx_hash = view.registration.tx_hash or (view.attempts[-1] if view.attempts else None)
    return f"[{short(tx_hash)}]({view.network.tx_link(tx_hash)})" if tx_hash else None


def _registration_line(view: RegistrationView) -> str:
    registration, network = view.registration, view.network
    if view.state is not RegistrationState.CONFIRMED or not registration.ip_id:
        waits = view.state is RegistrationState.SENT
        return f"{_NEXT} Waiting until the chain has confirmed it" if waits else f"{_LATER} Registered as IP"
    at = f" {moment(registration.confirmed_at, 'f')}" if registration.confirmed_at else ""
    return (
        f"{_DONE} **Registered**{at} as [{registration.ip_id}]({network.ip_link(registration.ip_id)}), "
        f"token {registration.token_id} of {address_link(view.terms.collection, network, short=True)}, "
        f"which belongs to {address_link(view.terms.recipient, network, short=True)}"
    )


# What follows.


def _advice_lines(view: RegistrationView, room: int) -> list[str | None]:
    if _is_stopped(view):
        why = waiting_reason(view.job) or "The bot made a mistake."
        return [why, "The admin is told. Nothing more is done by itself; its owner was charged nothing."]
    match view.state:
        case RegistrationState.CONFIRMED:
            derived = ""
            if view.terms.parents:
                parents = [f"[{short(each.ip_id)}]({view.network.ip_link(each.ip_id)})" for each in view.terms.parents]
                derived = f"A derivative of {listed(parents[:3])}. "
            return [
                f"{derived}{licence_of(view.terms, view.network)}",
                "Its owner was charged nothing." if room else None,
            ]
        case RegistrationState.DENIED:
            return ["Nothing was pinned or minted, and nothing charged. You can change it and submit it again."]
        case RegistrationState.EXPIRED:
            return ["Nothing was pinned or minted, and nothing charged. Ask a moderator, then submit it again."]
        case RegistrationState.WITHDRAWN:
            return ["Nothing was minted, and nothing charged. Whatever was pinned for it already is taken back."]
        case RegistrationState.FAILED:
            return _failure_lines(view)
        case RegistrationState.SUBMITTED:
            return [
                licence_of(view.terms, view.network),
                _retry_line(view) or "Nothing is pinned or minted before a moderator has agreed.",
                FREE,
            ]
        case _:
            return [licence_of(view.terms, view.network), _retry_line(view), small("Its owner is charged nothing.")]


def _failure_lines(view: RegistrationView) -> list[str | None]:
    """The sentence, and what is known of its price."""
    why = view.registration.error or view.job.error
    link = _transaction_link(view)
    if link is None:
        paid = "Nothing was minted, and nobody paid anything for it."
    else:
        paid = (
            f"Its transaction is {link}: the admin's wallet may have paid the network's fee for it. "
            "Its owner was charged nothing."
        )
    advice = (
        "“Try again” goes on under the same approval."
        if view.registration.approval_id
        else "You can change it and submit it again."
    )
    return [f"**It failed:** {sentence(why, 400)}" if why else "**It failed**, and nobody knows why.", paid, advice]


def _retry_line(view: RegistrationView) -> str | None:
    """Why it waits for another try: coins, the network, a service that does not answer."""
    job = view.job
    if not job.error or job.state not in {State.WAITING, State.PARKED}:
        return None
    again = f" Trying again {moment(job.due_at, 'R')}." if 0 < job.due_at < NEVER else ""
    return f"**It waits:** {sentence(job.error, 300)}{again}"


def _buttons(view: RegistrationView) -> list[PressButton]:
    registration_id, state = view.registration.id, view.state
    buttons: list[PressButton] = []
    if _is_stopped(view):
        return [button("reg:show", registration_id, "Details")]
    if view.question:
        buttons.append(button("reg:answer", registration_id, "Answer", style=PRIMARY))
    if state is RegistrationState.FAILED and view.registration.approval_id:
        buttons.append(button("reg:retry", registration_id, "Try again", style=PRIMARY))
    if state in _OVER and state is not RegistrationState.CONFIRMED:
        buttons.append(button("reg:again", registration_id, "Edit and submit again"))
    if state in WITHDRAWABLE or state is RegistrationState.FAILED:
        buttons.append(button("reg:withdraw", registration_id, "Withdraw", style=DANGER))
    buttons.append(button("reg:show", registration_id, "Details"))
    if state is not RegistrationState.FAILED:
        buttons.append(button("reg:json", registration_id, "Exact JSON"))
    return buttons
