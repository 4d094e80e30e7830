"""Every hash, link and number of a registration, for those who want to check them."""

from bot import limits
from bot.cards.base.words import escaped, moment, sentence, shortened
from bot.cards.finetuning.parts import code, within
from bot.cards.registering.parts import STATES, address_link, card_link, short
from bot.story.node.values import coins
from bot.workflows.registering.types import RegistrationView


def registration_details(view: RegistrationView) -> str:
    """As markdown, fit for one message."""
    registration, terms, network = view.registration, view.terms, view.network
    lines = [
        (
            f"**Registration** `{registration.id}` of picture {code(registration.image_id, 24)} by "
            f"<@{registration.owner_id}>: {STATES[view.state]}"
        ),
        card_link(view.job),
        f"**Its bytes** SHA-256 `{registration.sha256}`",
        f"**What is approved** digest `{registration.digest}`" if registration.digest else None,
        (
            f"**Chain** {network.chain_id}, {escaped(network.label)}, collection "
            f"{address_link(terms.collection, network, short=True)}"
        ),
        f"**Recipient** {address_link(terms.recipient, network)}",
        *_pin_lines(view),
        *_chain_lines(view),
        *_check_lines(view),
        _time_line(view),
    ]
    return shortened("\n".join(line for line in lines if line), limits.ANSWER_CHARACTERS)


def _pin_lines(view: RegistrationView) -> list[str]:
    registration = view.registration
    files = (
        ("Picture", registration.image_cid, None),
        ("IP metadata", registration.ip_cid, registration.ip_metadata),
        ("NFT metadata", registration.nft_cid, registration.nft_metadata),
    )
    return [
        f"**{name}** [{short(cid)}](<{view.terms.link(cid)}>)" + (f" SHA-256 `{short(sha256)}`" if sha256 else "")
        for name, cid, sha256 in files
        if cid
    ]


def _chain_lines(view: RegistrationView) -> list[str]:
    network, outcome = view.network, view.outcome
    signed = [f"[{short(each)}](<{network.tx_link(each)}>)" for each in view.attempts]
    lines = [f"**Signed** {', '.join(within(signed, room=400, most=4, more='transaction'))}"] if signed else []
    if outcome is not None:
        registered = outcome.registered
        paid = f", {coins(registered.paid, network.coin)} for {registered.gas_used} gas" if registered.paid else ""
        where = f" in block {registered.block}" if registered.block is not None else ""
        terms = f", licence terms {', '.join(map(str, registered.terms_ids))}" if registered.terms_ids else ""
        lines.append(
            f"**IP asset** [{registered.ip_id}](<{network.ip_link(registered.ip_id)}>), token "
            f"{registered.token_id}{where}{paid}{terms}"
        )
    elif view.dry_run and view.dry_run.fee is not None:
        lines.append(f"**Fee** about {coins(view.dry_run.fee, network.coin)}, which the bot's wallet pays")
    return lines


def _check_lines(view: RegistrationView) -> list[str]:
    outcome = view.outcome
    if outcome is None or outcome.chain is None:
        return [f"**Not read back** {sentence(outcome.unread, 200)}"] if outcome and outcome.unread else []
    checks = [f"{'✅' if each.good else '❌'} {sentence(each.sentence, 120)}" for each in outcome.chain.checks]
    return ["**Read back**", *within(checks, room=600, most=8, more="check")]


def _time_line(view: RegistrationView) -> str:
    registration = view.registration
    asked = f"**Submitted** {moment(registration.submitted_at, 'f')}" if registration.submitted_at else ""
    done = f", **registered** {moment(registration.confirmed_at, 'f')}" if registration.confirmed_at else ""
    return f"{asked}{done}"
