"""What `/verify` says of a picture."""

from collections.abc import Sequence
from dataclasses import replace

from bot import limits
from bot.cards.base.layout import Card, compose, text
from bot.cards.base.lines import DONE, UNSURE, WAITING, small
from bot.cards.base.words import escaped, moment, quoted, sentence
from bot.cards.registering.parts import STATES, TITLE, card_link, licence_of, roomy, short
from bot.workflows.registering.types import RegistrationView
from bot.workflows.registering.verification import Standing, Verdict
from storage.registering.transitions import RegistrationState


def verdict_card(verdicts: Sequence[Verdict]) -> Card:
    """A part for each picture that was asked about. The card shows no pictures: the person who asks has them.

    Where Discord has no room for all of it, the last ones have a line each.
    """
    names = [verdict.name for verdict in verdicts]
    if len({*names}) < len(names):  # a message may have two files of one name
        verdicts = [replace(verdict, name=f"{at} · {verdict.name}") for at, verdict in enumerate(verdicts, 1)]
    card = _draw(verdicts, len(verdicts))
    for whole in reversed(range(len(verdicts))):
        if card.view.content_length() <= limits.CARD_CHARACTERS:
            break
        card = _draw(verdicts, whole)
    return card


def _draw(verdicts: Sequence[Verdict], whole: int) -> Card:
    """With all that is known of the first `whole` verdicts, and a line for each of the others."""
    registered = [verdict.registered is not None and verdict.standing is not None for verdict in verdicts]
    rest = [_short_line(verdict) for verdict in verdicts[whole:]]
    hint = small("There is no room for all of it: `/verify` with one of them says everything.") if rest else None

    def draw(room: int) -> Card:
        parts = [text(*_verdict_lines(verdict, room)) for verdict in verdicts[:whole]]
        return compose(
            [*parts, *([text(*rest, hint)] if rest else [])],
            colour=DONE if all(registered) else UNSURE if any(registered) else WAITING,
        )

    return roomy(draw)


def _short_line(verdict: Verdict) -> str:
    name, view = quoted(verdict.name, 40), verdict.registered
    if verdict.unseen is not None:
        return f"❔ **{name}:** not looked at. {sentence(verdict.unseen, 120)}"
    if view is not None:
        link = card_link(view.job, STATES[view.state]) or STATES[view.state]
        if view.registration.ip_id:
            link = f"registered as [{short(view.registration.ip_id)}]({view.network.ip_link(view.registration.ip_id)})"
        mark = "✅" if view.state is RegistrationState.CONFIRMED else "❔"
        if verdict.standing and verdict.standing.checks and not verdict.standing.good:
            mark, link = "⚠️", f"{link}, and something is different on the chain by now"
        return (
            f"{mark} **{name}:** {link}, “{quoted(view.terms.content.title, 40)}”, by <@{view.registration.owner_id}>."
        )
    if verdict.near:
        near = verdict.near[0]
        return f"**{name}:** not registered, and looks like “{quoted(near.terms.content.title, 40)}”, which is."
    return f"**{name}:** not registered."


def _verdict_lines(verdict: Verdict, room: int) -> list[str | None]:
    name = quoted(verdict.name, min(room, 60))
    view = verdict.registered
    if verdict.unseen is not None:
        return [f"### {name}: not looked at", sentence(verdict.unseen, max(room, 80))]
    if view is not None and view.state is RegistrationState.CONFIRMED:
        return _registered_lines(name, verdict, view, room)
    if view is not None:
        return [
            f"### {name}: not registered yet",
            f"These exact bytes are {STATES[view.state]} to be registered as **{_title_of(view, room)}**, "
            f"by <@{view.registration.owner_id}>."
            if verdict.sha256
            else f"**{_title_of(view, room)}** by <@{view.registration.owner_id}> is "
            f"{STATES[view.state]}. It is not registered.",
            card_link(view.job),
            _hash_line(verdict),
        ]
    return _unknown_lines(name, verdict, room)


def _registered_lines(name: str, verdict: Verdict, view: RegistrationView, room: int) -> list[str | None]:
    registration, network, review = view.registration, view.network, view.review
    what = "These exact bytes are registered" if verdict.sha256 else "This is registered"
    ip = f"[{registration.ip_id}]({network.ip_link(registration.ip_id or '')})"
    when = f", since {moment(registration.confirmed_at, 'f')}" if registration.confirmed_at else ""
    if verdict.foreign:
        who = "It was registered in another server of this bot."
    else:
        by = f", approved by <@{review.decided_by}>" if review and review.decided_by else ""
        override = " under the admin's override" if by and view.overridden else ""
        who = f"Registered by <@{registration.owner_id}>{by}{override}."
    return [
        f"### ✅ {name}: registered as IP",
        f"{what} on {escaped(network.label)} as {ip}, **{_title_of(view, room)}**{when}.",
        who,
        licence_of(view.terms, network),
        *_standing_lines(verdict.standing, room),
        None if verdict.foreign else card_link(view.job),
        _hash_line(verdict),
    ]


def _standing_lines(standing: Standing | None, room: int) -> list[str]:
    """What the chain says at this moment. It can differ from the bot's rows: a token can be passed on."""
    if standing is None:
        return []
    if standing.unread:
        return [
            (
                f"❔ **The chain could not be read now:** {sentence(standing.unread, max(room, 60))} The above is "
                "what the bot has written down."
            )
        ]
    if standing.good:
        lines = ["✅ **Read from the chain just now:** owner, metadata and licence are still what was approved."]
    else:
        differs = " ".join(sentence(each.sentence, max(room, 60)) for each in standing.checks if not each.good)
        lines = [f"⚠️ **Read from the chain just now, and something is different by now:** {differs}"]
    if len(standing.licences) > 1:
        lines.append(
            f"It has {len(standing.licences)} licences on the chain: "
            f"{sentence(' '.join(standing.licences), max(room, 60))}"
        )
    return lines


def _unknown_lines(name: str, verdict: Verdict, room: int) -> list[str | None]:
    lines: list[str | None] = [
        f"### {name}: not registered",
        (
            "This bot has not registered these exact bytes: one changed pixel, or a picture that was saved again or "
            "screenshot, has others."
        ),
    ]
    for each in verdict.near:
        registration, network = each.registration, each.network
        if registration.ip_id:
            where = f"[{short(registration.ip_id)}]({network.ip_link(registration.ip_id)})"
        else:
            where = card_link(each.job, "this") or f"`{registration.id}`"
        state = STATES[each.state]
        title = _title_of(each, room)
        lines.append(f"It looks like **{title}**, {where}, by <@{registration.owner_id}>, which is {state}.")
    if verdict.uncomparable:
        lines.append(f"Whether it looks like one could not be seen: {sentence(verdict.uncomparable, max(room, 60))}")
    elif not verdict.near:
        lines.append("Nor does anything that is registered here look like it. That says nothing about other bots.")
    return [*lines, _hash_line(verdict)]


def _title_of(view: RegistrationView, room: int) -> str:
    return quoted(view.terms.content.title, min(room, TITLE))


def _hash_line(verdict: Verdict) -> str | None:
    return small(f"SHA-256 `{verdict.sha256}`") if verdict.sha256 else None
