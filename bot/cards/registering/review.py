"""What moderators see of a registration: all that would be published, and all that they should know beforehand."""

from dataclasses import replace

from bot.cards.base.layout import Card, compose, gallery, row, text
from bot.cards.base.lines import small
from bot.cards.base.words import escaped, listed, moment, quoted, sentence, shortened
from bot.cards.registering.parts import (
    LEAST,
    alike_lines,
    creators_of,
    licence_of,
    model_of,
    preview_in,
    recipient_of,
    roomy,
    short,
    title_of,
)
from bot.cards.reviewing.card import COLOURS, DIGEST, decisions, heading, state_of, talk_of, undo_row, where
from bot.discord.buttons import button
from bot.story.node.values import coins
from bot.workflows.base.files import FilePaths
from bot.workflows.registering.types import RegistrationView
from storage.registering.transitions import RegistrationState
from storage.reviewing.reviews import Review, ReviewState


def registration_review_card(review: Review, view: RegistrationView, paths: FilePaths) -> Card:
    """May this be registered? What is approved here is exactly what is pinned and written on the chain."""
    files = preview_in(view, paths)
    is_open = review.state is ReviewState.OPEN

    def draw(room: int) -> Card:
        return compose(
            [
                text(
                    heading(review, "May this be registered as IP, for good?"),
                    f"<@{review.requested_by}> would like to register **{title_of(view.terms.content.title)}** on "
                    f"{escaped(view.network.label)}.",
                ),
                *([gallery(files)] if files else []),
                text(*_wording_lines(view, room), model_of(view)),
                text(*_terms_lines(view, room)),
                text(f"**It will belong to** {recipient_of(view.terms, view.network)}", _dry_run_line(view)),
                text(*_warning_lines(view, room)),
                text(
                    *_talk_lines(view, room),
                    *_state_lines(review, view, room),
                    _undo_line(view),
                    _outcome_line(review, view),
                    where(view.job, "The registration"),
                    small(f"`{review.id}`", f"digest `{review.digest[:DIGEST]}`"),
                ),
                *row(decisions(review, ask=True) if is_open else []),
                *(undo_row(review) if _can_undo(view) else []),
                *row([button("reg:json", review.id, "Exact JSON"), button("reg:show", review.id, "Details")]),
            ],
            colour=COLOURS[review.state],
            files=files,
        )

    return roomy(draw)


def _state_lines(review: Review, view: RegistrationView, room: int) -> list[str]:
    reason = shortened(review.reason, max(room, 100)) if review.reason else None
    waiting = "Nothing is pinned, minted or paid until you decide."
    return state_of(replace(review, reason=reason), waiting, override=view.overridden)


def _can_undo(view: RegistrationView) -> bool:
    return view.state is RegistrationState.APPROVED


def _wording_lines(view: RegistrationView, room: int) -> list[str | None]:
    content, picture = view.terms.content, view.terms.picture
    public = content.generation is not None and bool(content.generation.prompt)
    prompt = quoted(picture.prompt, room) if picture.prompt.strip() and room > LEAST else None
    seen_by_all = view.review is not None and view.review.channel_id == view.job.channel_id
    if prompt and seen_by_all and not public:  # the moderators are asked where the member is
        prompt = "not shown in this channel. A review channel of the moderators (`/admin settings`) shows it."
    return [
        f"**Description:** {quoted(content.description, room)}" if content.description and room > LEAST else None,
        f"**Tags:** {quoted(', '.join(content.tags), 100)}" if content.tags else None,
        f"**Prompt, {'which becomes public' if public else 'which stays private'}:** {prompt}" if prompt else None,
    ]


def _terms_lines(view: RegistrationView, room: int) -> list[str | None]:
    terms, network = view.terms, view.network
    parents = [f"[{short(each.ip_id)}]({network.ip_link(each.ip_id)})" for each in terms.parents]
    return [
        licence_of(terms, network),
        f"**Derivative** of {listed(parents[:3])}" if parents else None,
        "**Creators:**" if terms.content.creators else "**Creators:** none. The description says who made it.",
        *creators_of(terms, network, room=max(room, 300)),  # a list goes on until its text ends
    ]


def _dry_run_line(view: RegistrationView) -> str:
    """What the chain said when it was tried without sending anything."""
    tried, network = view.dry_run, view.network
    if tried is None:
        return f"**Chain {network.chain_id}:** it could not be tried yet, so nobody knows whether it would be taken."
    fee = f" The fee of about {coins(tried.fee, network.coin)} is paid by the bot's wallet." if tried.fee else ""
    return f"{'✅' if tried.good else '❌'} **Tried on chain {network.chain_id}:** {sentence(tried.sentence, 200)}{fee}"


def _warning_lines(view: RegistrationView, room: int) -> list[str]:
    alike = alike_lines(view.alike, view.network) or ["No other registration here has these bytes or looks like this."]
    denials: list[str] = []
    for each in view.denials:
        by = f" by <@{each.decided_by}>" if each.decided_by else ""
        when = f" {moment(each.decided_at, 'R')}" if each.decided_at else ""
        why = f": {quoted(each.reason, min(max(room // 2, LEAST), 200))}" if each.reason else ""
        denials.append(f"⚠️ **Denied before**{by}{when}{why}")
    return [*alike, *denials]


def _talk_lines(view: RegistrationView, room: int) -> list[str]:
    """All of it, or else the last question and answer, shortened."""
    if room >= 400 or not view.talk:
        return talk_of(view.talk)
    last, most = view.talk[-1], max(room, 100)
    answer = f"Answer: {quoted(last.answer, most)}" if last.answer is not None else "*Not answered yet.*"
    return [f"<@{last.asked_by}> asked {moment(last.asked_at, 'R')}: {quoted(last.question, most)}", answer]


def _outcome_line(review: Review, view: RegistrationView) -> str | None:
    """What has come of an approval."""
    if review.state is not ReviewState.APPROVED:
        return None
    match view.state:
        case RegistrationState.APPROVED | RegistrationState.SUBMITTED:
            return None
        case RegistrationState.CONFIRMED:
            ip_id = view.registration.ip_id
            return f"**Registered** as [{ip_id}]({view.network.ip_link(ip_id)})." if ip_id else "**Registered.**"
        case RegistrationState.WITHDRAWN:
            return "**Withdrawn** by its owner since. Nothing was minted."
        case RegistrationState.FAILED:
            return "**It could not be registered.** Its card says why."
        case _:
            return "It is being pinned and minted, and cannot be undone any more."


def _undo_line(view: RegistrationView) -> str | None:
    until = view.registration.undo_until
    if not _can_undo(view) or until is None:
        return None
    return (
        f"The approval can be undone until {moment(until, 'T')} ({moment(until, 'R')}); then it is pinned and minted."
    )
