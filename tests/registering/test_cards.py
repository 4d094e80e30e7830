"""The cards of registrations: what a reader sees in each state, whatever others have typed."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.cards.base.layout import Card
from bot.cards.registering.card import registration_card
from bot.cards.registering.details import registration_details
from bot.cards.registering.draft import discarded_card, registration_draft_card, submitted_card
from bot.cards.registering.news import registration_news
from bot.cards.registering.review import registration_review_card
from bot.cards.registering.verdict import verdict_card
from bot.cards.registering.wallet import wallet_card, wallet_linked_card
from bot.discord.buttons import PATTERN, PressButton
from bot.story.licences import Licence, LicenceKey
from bot.story.metadata import Content, Creator, Generation, Profile
from bot.story.mints import Check, Parent, Registered
from bot.story.node.networks import AENEID
from bot.story.node.values import Address, Hash
from bot.story.registrar import ReadBack
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.registering.types import (
    Alike,
    Details,
    DraftView,
    Outcome,
    Picture,
    RegistrationView,
    Terms,
    Tried,
)
from bot.workflows.registering.verification import Standing, Verdict
from bot.workflows.registering.wallets import Challenge, Linked
from standins.discord.rules import check_message
from storage.base.jobs import State
from storage.registering.registrations import Registration
from storage.registering.transitions import UNDER_WAY, WITHDRAWABLE, RegistrationState
from storage.registering.wallets import LinkedWallet
from storage.reviewing.reviews import Exchange, ReviewState
from tests.drawing.test_cards import ID, MEDIA, MODERATOR, OWNER, a_job, a_review, an_image, labels, presses, words
from tests.scenes.clock import START

SHA = "ab" * 32
WALLET = Address("0x" + "A1" * 20)
OTHER = Address("0x" + "b2" * 20)
IP = Address("0x" + "C3" * 20)
TX = Hash("0x" + "d4" * 32)
S = RegistrationState


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of `MEDIA`, with the one preview that there is."""
    monkeypatch.chdir(tmp_path)
    MEDIA.path(SHA).parent.mkdir(parents=True)
    MEDIA.path(SHA).touch()


def a_row(state: RegistrationState, **changed: Any) -> Registration:
    row = Registration(
        id=ID,
        guild_id=1,
        channel_id=2,
        owner_id=OWNER,
        state=state,
        image_id=f"{ID}-1",
        sha256="01" * 32,
        preview=SHA,
        fingerprint="00" * 19,
        details="{}",
        created_at=START,
        changed_at=START,
        digest="0123456789abcdef" * 4,
        submitted_at=START,
    )
    return replace(row, **changed)


def content(**changed: Any) -> Content:
    fields: dict[str, Any] = {
        "registration_id": ID,
        "title": "The cat of the moon",
        "description": "A cat that looks at the earth.",
        "created_at": START,
        "sha256": "01" * 32,
        "media_type": "image/jpeg",
        "creators": (Creator(name="Ada", address=WALLET, share=100),),
        "tags": ("cat", "moon"),
        "generation": Generation(provider="bfl", model="FLUX 1.1", seed=42),
    }
    return Content.model_construct(**fields | changed)


def terms(**changed: Any) -> Terms:
    fields: dict[str, Any] = {
        "network": "aeneid",
        "chain_id": 1315,
        "collection": OTHER,
        "gateway": "https://ipfs.io",
        "recipient": WALLET,
        "recipient_from": "linked",
        "licence": Licence(key=LicenceKey.NON_COMMERCIAL),
        "content": content(),
        "picture": Picture(
            prompt="a cat on the moon",
            model="FLUX 1.1",
            seed="42",
            media_type="image/jpeg",
            width=64,
            height=64,
            bytes=1000,
        ),
        "sha256": "01" * 32,
    }
    return Terms(**fields | changed)


def a_draft(**changed: Any) -> DraftView:
    view = DraftView(
        registration=a_row(S.DRAFT, submitted_at=None),
        details=Details(author="Ada", title="The cat of the moon", description="A cat that looks at the earth."),
        image=an_image(1),
        request=ImageRequest(prompt="a cat on the moon", model="flux-pro-1.1-ultra"),
        network=AENEID,
        terms=terms(),
        missing=None,
        parent=None,
        parent_refusal=None,
        wallet=WALLET,
    )
    return replace(view, **changed)


REACHED: dict[RegistrationState, dict[str, Any]] = {
    S.APPROVED: {"approval_id": ID, "undo_until": START + 60},
    S.PINNING: {"approval_id": ID},
    S.PINNED: {"approval_id": ID, "image_cid": "bafyimage", "ip_cid": "bafyip", "nft_cid": "bafynft"},
}
REACHED[S.SIGNED] = REACHED[S.PINNED]
REACHED[S.SENT] = REACHED[S.PINNED] | {"tx_hash": TX}
REACHED[S.CONFIRMED] = REACHED[S.SENT] | {"ip_id": IP, "token_id": "7", "confirmed_at": START + 99}
REGISTERED = Registered(ip_id=IP, token_id=7, tx_hash=TX, block=9, block_hash=TX, terms_ids=(1,))
GOOD = Check(name="owner", good=True, sentence="It belongs to the recipient.")
WRONG = Check(name="metadata", good=False, sentence="Its metadata hash is another one.")
FILES = (("bafyimage", True), ("bafyip", True), ("bafynft", True))
PROVEN = Outcome(registered=REGISTERED, at=START, chain=ReadBack((GOOD,)), files=FILES)


def a_registration(state: RegistrationState, **changed: Any) -> RegistrationView:
    """A submitted one; what is changed is of its view or its row, by the names of their fields."""
    approved = state in REACHED or state is S.FAILED
    decided: dict[str, Any] = {"decided_by": MODERATOR, "decided_at": START}
    review = a_review(kind="register", **({"state": ReviewState.APPROVED} | decided if approved else {}))
    if state is S.DENIED:
        review = replace(review, state=ReviewState.DENIED, reason="It shows a brand.", **decided)
    both = {"terms", "outcome"}  # the row has them as JSON
    own = {name: value for name, value in changed.items() if name in Registration.__dataclass_fields__.keys() - both}
    seen = {name: value for name, value in changed.items() if name not in own}
    over = state in {S.CONFIRMED, S.DENIED, S.WITHDRAWN, S.EXPIRED, S.FAILED}
    columns: dict[str, Any] = {
        "job": a_job(kind="register", state=State.DONE if over else State.PARKED),
        "registration": a_row(state, **REACHED.get(state, {}) | own),
        "details": Details(),
        "terms": terms(),
        "network": AENEID,
        "request": None,
        "spoiler": False,
        "review": review,
        "talk": (),
        "dry_run": Tried(sentence="The chain would take it.", fee=3_100_000_000_000_000, good=True),
        "alike": (),
        "denials": (),
        "outcome": None,
        "attempts": (TX,) if state in {S.SIGNED, S.SENT, S.CONFIRMED} else (),
        "overridden": None,
    }
    return RegistrationView(**columns | seen)


def card(view: RegistrationView) -> Card:
    return registration_card(view, MEDIA)


def find_disabled(shown: Card) -> list[str]:
    buttons = (each for each in shown.view.walk_children() if isinstance(each, PressButton))
    return [each.custom_id for each in buttons if each.item.disabled]


ASKED = Exchange(asked_by=MODERATOR, question="Whose cat is it?", asked_at=START, answer=None, answered_at=None)
EVERY_STATE = [
    a_registration(S.SUBMITTED),
    a_registration(S.SUBMITTED, review=a_review(kind="register", claimed_by=MODERATOR, claimed_until=START + 1800)),
    a_registration(S.SUBMITTED, talk=(ASKED,)),
    a_registration(S.APPROVED),
    a_registration(S.APPROVED, overridden="It is their own picture."),
    a_registration(S.PINNING),
    a_registration(S.PINNED),
    a_registration(S.SIGNED),
    a_registration(S.SENT),
    a_registration(S.CONFIRMED, outcome=Outcome(registered=REGISTERED, at=START)),
    a_registration(S.CONFIRMED, outcome=PROVEN),
    a_registration(S.CONFIRMED, outcome=PROVEN.model_copy(update={"chain": ReadBack((GOOD, WRONG))})),
    a_registration(S.CONFIRMED, outcome=PROVEN.model_copy(update={"chain": None, "files": (), "unread": "No answer."})),
    a_registration(S.DENIED),
    a_registration(S.WITHDRAWN),
    a_registration(S.WITHDRAWN, **REACHED[S.PINNED]),
    a_registration(S.EXPIRED),
    a_registration(S.FAILED, error="The pin service answers with other bytes.", approval_id=ID),
    a_registration(S.FAILED, error="The chain turned it down.", approval_id=ID, attempts=(TX,)),
    a_registration(S.FAILED, error="It cannot be tried.", approval_id=None),
    a_registration(S.PINNED, job=a_job(kind="register", state=State.FAILED, error="A bug.")),
]
NASTY = ["plain", "*_`@everyone <@1> [x](http://x.y)" * 80, "🦊" * 2000, "e\u0301" * 1000, "שלום " * 400, "`" * 2000]
NEWS = ["registered", "denied", "expired", "failed", "asked", "newer"]


def test_every_state_looks_different_and_says_something_in_every_part() -> None:
    shown = [card(view) for view in EVERY_STATE]
    assert len({each.key for each in shown}) == len(EVERY_STATE)
    assert [each.key for each in shown] == [registration_card(view, MEDIA).key for view in EVERY_STATE]
    for each in shown:
        assert all(part.content for part in each.view.walk_children() if isinstance(part, discord.ui.TextDisplay))


def worst(view: RegistrationView, typed: str) -> RegistrationView:
    """With as much of a text as its fields may have, everywhere."""
    people = tuple(
        Creator.model_construct(
            name=typed[:100],
            address=WALLET,
            share=33.33,
            description=typed[:500],
            profiles=(Profile.model_construct(platform="X", url="https://x.com/" + "a" * 280),) * 5,
        )
        for _ in range(10)
    )
    long = content(
        title=typed[:100],
        description=typed[:2000],
        creators=people,
        tags=tuple(typed[:50] for _ in range(10)),
        generation=Generation(
            provider="bfl", model="FLUX", prompt=typed, finetune=typed[:40], trained_by=typed[:100], seed=2**63
        ),
        community=typed[:100],
    )
    picture = view.terms.picture.model_copy(
        update={
            "prompt": typed * 2,
            "finetune": typed[:40],
            "trained_by": 10**18,
            "trainer": "Black Forest Labs",
            "training_pictures": 20,
            "contributors": tuple(10**18 + n for n in range(20)),
            "made_from": f"{ID}-1",
        }
    )
    exchange = Exchange(10**18, typed[:500], START, typed[:500], START)
    asked = replace(exchange, answer=None) if view.question else exchange
    others = [a_row(S.CONFIRMED, ip_id=IP, owner_id=10**18), a_row(S.SUBMITTED, owner_id=10**18)]
    licence = Licence(key=LicenceKey.COMMERCIAL_REMIX, minting_fee=10**27 - 1, revenue_share=12.345678)
    denied = a_review(state=ReviewState.DENIED, reason=typed[:1000], decided_by=10**18, decided_at=START)
    outcome = view.outcome
    if outcome:
        wrong = tuple(Check(name="owner", good=False, sentence=typed[:400]) for _ in range(9))
        outcome = outcome.model_copy(
            update={
                "chain": ReadBack(wrong) if outcome.chain and not outcome.chain.good else outcome.chain,
                "unread": typed if outcome.unread else None,
            }
        )
    return replace(
        view,
        terms=view.terms.model_copy(update={"content": long, "picture": picture, "licence": licence}),
        registration=replace(view.registration, error=typed if view.registration.error else None),
        job=replace(view.job, error=typed),
        talk=(exchange, exchange, exchange, asked) if view.state is S.SUBMITTED else (),
        alike=(Alike(others[0], exact=True), Alike(others[1], exact=False), Alike(others[0], exact=False)),
        denials=(denied,) * 3,
        dry_run=Tried(sentence=typed, fee=10**18 - 1, good=False),
        attempts=(TX,) * 9 if view.attempts else (),
        overridden=typed if view.overridden else None,
        review=replace(view.review, reason=typed[:1000]) if view.review else None,
        outcome=outcome,
    )


@pytest.mark.parametrize("typed", NASTY)
@pytest.mark.parametrize("base", EVERY_STATE)
def test_discord_takes_every_card_with_the_longest_texts(base: RegistrationView, typed: str) -> None:
    view = worst(base, typed)
    assert view.review
    made = [card(view), *(registration_news(view, about, "1").card for about in NEWS)]
    made += [registration_review_card(replace(view.review, state=state), view, MEDIA) for state in ReviewState]
    draft = a_draft(
        details=Details.model_construct(
            author=typed[:60],
            title=typed[:100],
            description=typed[:2000],
            tags=view.terms.content.tags,
            public_prompt=True,
            creators=view.terms.content.creators,
            licence=view.terms.licence,
            recipient=WALLET,
            derivative=True,
        ),
        request=ImageRequest(prompt=typed, model="flux-pro-1.1-ultra"),
        terms=view.terms,
        missing=typed,
        parent=a_row(S.CONFIRMED, ip_id=IP),
        parent_refusal=typed,
    )
    made += [registration_draft_card(each, MEDIA) for each in (draft, replace(draft, terms=None))]
    made += [submitted_card(ID, 2, typed), discarded_card(typed)]
    verdicts = [
        Verdict(typed, SHA, view, standing=Standing((WRONG,), (typed, typed))),
        Verdict(typed, SHA, None, near=(view, view, view), uncomparable=typed),
        Verdict(typed, SHA, view, standing=Standing(unread=typed)),
        Verdict(typed, SHA, None, near=(view, view, view)),
    ]
    made.append(verdict_card(verdicts))
    for shown in made:
        names = [file.link.removeprefix("attachment://") for file in shown.files]
        check_message("", [], shown.view.to_components(), 1 << 15, names)
        assert all(PATTERN.fullmatch(press) for press in presses(shown))
        assert all(len(file.description) <= 1024 for file in shown.files)
        assert all(each.content for each in shown.view.walk_children() if isinstance(each, discord.ui.TextDisplay))
        outside_code = re.sub(r"`[^`]*`", "", words(shown).replace("\\`", ""))
        assert not re.search(r"(?<!\\)@everyone|(?<!\\)<@1>|(?<!\\)\[x\]", outside_code)
    assert len(registration_details(view)) < 2000


# The draft.


def test_a_draft_shows_all_that_becomes_public_for_good() -> None:
    shown = registration_draft_card(a_draft(), MEDIA)
    text = words(shown)
    for part in (
        "The cat of the moon",
        "Only you see this",
        "Story's test network",
        "**Prompt:** stays private",
        "Anyone may share and remix it for free",
        "you alone, as Ada",
        f"[{WALLET}]",
        "your linked wallet",
        "**Public, and there for good, once it is registered:** the picture file itself (JPEG, 2752 × 1536, 1.5 MB)",
        "its title, description and tags",
        "the seed (`42`)",
        "not the prompt",
        "the creator's name, wallet and share",
        "Nobody can delete or change that afterwards",
        "**Submit** asks the moderators",
        "costs you nothing",
    ):
        assert part in text, part
    assert labels(shown) == [["Edit text", "Licence", "Creators", "Recipient"], ["Submit", "Exact JSON", "Discard"]]
    assert f"1:reg:submit:{ID}:{terms().digest[:12]}" in presses(shown)
    assert find_disabled(shown) == []
    assert [file.filename for file in shown.files] == [f"{ID}.jpg"]


def test_a_public_prompt_is_shown_and_named_among_what_becomes_public() -> None:
    generation = Generation(provider="bfl", model="FLUX 1.1", prompt="a cat on the moon")
    draft = a_draft(terms=terms(content=content(generation=generation)), details=Details(title="x", public_prompt=True))
    text = words(registration_draft_card(draft, MEDIA))
    assert "**Prompt, which becomes public:** a cat on the moon" in text
    assert "; the prompt;" in text
    assert "not the prompt" not in text


def test_what_is_missing_is_said_and_cannot_be_submitted() -> None:
    shown = registration_draft_card(
        a_draft(terms=None, missing="A title is missing: press “Edit text”.", details=Details()), MEDIA
    )
    assert "no title yet" in words(shown)
    assert r"**Before it can be submitted:** A title is missing\: press “Edit text”." in words(shown)
    assert find_disabled(shown) == [f"1:reg:submit:{ID}", f"1:reg:json:{ID}"]


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ("given", "as you have said."),
        ("linked", "your linked wallet."),
        ("community", "the community's wallet: you have linked none."),
    ],
)
def test_a_draft_says_whose_it_will_be_and_why(why: str, sentence: str) -> None:
    assert sentence in words(registration_draft_card(a_draft(terms=terms(recipient_from=why)), MEDIA))


def test_a_derivative_names_its_parent_and_can_be_turned_off_and_on() -> None:
    parent = a_row(S.CONFIRMED, ip_id=IP)
    derived = terms(parents=(Parent(ip_id=IP, terms_id=1, template=OTHER),))
    shown = registration_draft_card(a_draft(parent=parent, terms=derived), MEDIA)
    assert f"**Derivative** of [{IP[:8]}…{IP[-6:]}]({AENEID.ip_link(IP)})" in words(shown)
    assert "**Licence:** that of the picture it is derived from" in words(shown)
    assert f"1:reg:derive:{ID}:off" in presses(shown)
    off = registration_draft_card(a_draft(parent=parent, details=Details(title="x", derivative=False)), MEDIA)
    assert "you have turned that off" in words(off)
    assert f"1:reg:derive:{ID}:on" in presses(off)
    barred = registration_draft_card(a_draft(parent=parent, parent_refusal="It allows none."), MEDIA)
    assert "cannot be registered as its derivative: It allows none." in words(barred)
    assert not [press for press in presses(barred) if "derive" in press]


# The card.


def test_the_steps_get_their_ticks_one_after_the_other() -> None:
    ticks = [words(card(a_registration(state))).count("✅") for state in (*UNDER_WAY, S.CONFIRMED)]
    assert ticks == [1, 2, 2, 3, 3, 4, 5]


def test_it_can_be_withdrawn_until_it_is_signed() -> None:
    for state in (*UNDER_WAY, S.CONFIRMED):
        offered = f"1:reg:withdraw:{ID}" in presses(card(a_registration(state)))
        assert offered == (state in WITHDRAWABLE), state


def test_an_approval_says_by_whom_and_until_when_it_can_be_undone() -> None:
    text = words(card(a_registration(S.APPROVED)))
    assert f"**Approved** by <@{MODERATOR}>" in text
    assert f"can be undone until <t:{START + 60:.0f}:T>" in text


def test_what_is_pinned_sent_and_registered_is_linked() -> None:
    text = words(card(a_registration(S.CONFIRMED, outcome=PROVEN, terms=terms(gateway="https://gate.example"))))
    assert "[picture](https://gate.example/ipfs/bafyimage)" in text
    assert f"]({AENEID.tx_link(TX)})" in text
    assert f"[{IP}]({AENEID.ip_link(IP)}), token 7" in text
    assert "Anyone may share and remix it for free" in text
    assert "Its owner was charged nothing." in text


def test_the_tick_is_for_what_was_read_back_and_agrees_and_for_nothing_else() -> None:
    def proof(**changed: Any) -> str:
        lines = words(card(a_registration(S.CONFIRMED, outcome=PROVEN.model_copy(update=changed)))).splitlines()
        (line,) = [line for line in lines if "ead back" in line or "erified" in line or "Reading" in line]
        return line

    assert proof().startswith("✅ **Read back and verified:**")
    assert proof(chain=None, files=()).startswith("⏳ Reading it back")
    differs = proof(chain=ReadBack((GOOD, WRONG)))
    assert differs.startswith("❌ **Read back, and something differs:** Its metadata hash is another one.")
    assert "The pinned IP metadata has other bytes." in proof(files=(FILES[0], ("bafyip", False), FILES[2]))
    assert proof(chain=None, files=(), unread="No answer.").startswith("❔ **Not verified:** No answer.")


def test_a_question_is_on_the_card_with_a_button_to_answer() -> None:
    shown = card(a_registration(S.SUBMITTED, talk=(ASKED,)))
    assert f"<@{MODERATOR}> asks:** Whose cat is it?" in words(shown)
    assert presses(shown)[0] == f"1:reg:answer:{ID}"
    answered = replace(ASKED, answer="Mine.", answered_at=START)
    assert "Answer" not in labels(card(a_registration(S.SUBMITTED, talk=(answered,))))[0]


def test_what_it_waits_for_is_said_with_the_time_of_the_next_try() -> None:
    job = a_job(kind="register", state=State.WAITING, error="The wallet has too few coins.", due_at=START + 30)
    text = words(card(a_registration(S.PINNED, job=job)))
    assert f"**It waits:** The wallet has too few coins. Trying again <t:{START + 30:.0f}:R>." in text


def test_a_denial_gives_the_reason_and_a_way_to_try_again() -> None:
    shown = card(a_registration(S.DENIED))
    assert f"❌ **Denied** by <@{MODERATOR}>" in words(shown)
    assert "It shows a brand." in words(shown)
    assert "Nothing was pinned or minted, and nothing charged." in words(shown)
    assert labels(shown) == [["Edit and submit again", "Details", "Exact JSON"]]


def test_a_failure_says_whether_anything_was_paid() -> None:
    early = card(a_registration(S.FAILED, error="The pin service answers with other bytes.", approval_id=ID))
    assert "**It failed:** The pin service answers with other bytes." in words(early)
    assert "Nothing was minted, and nobody paid anything for it." in words(early)
    assert labels(early)[0][:2] == ["Try again", "Edit and submit again"]
    late = words(card(a_registration(S.FAILED, error="No.", approval_id=ID, attempts=(TX,))))
    assert "the admin's wallet may have paid the network's fee for it. Its owner was charged nothing." in late
    unapproved = card(a_registration(S.FAILED, error="No.", approval_id=None))
    assert "Try again" not in labels(unapproved)[0]


def test_a_mistake_of_the_bots_does_not_look_as_if_it_went_on() -> None:
    shown = card(a_registration(S.PINNED, job=a_job(kind="register", state=State.FAILED, error="A bug.")))
    assert "stopped" in words(shown)
    assert "The admin is told." in words(shown)
    assert labels(shown) == [["Details"]]


def test_the_preview_is_hidden_where_the_picture_was() -> None:
    (file,) = card(a_registration(S.SUBMITTED, spoiler=True)).files
    assert file.spoiler
    assert file.description == "The cat of the moon: A cat that looks at the earth."


# For moderators.


def test_a_moderator_sees_what_would_be_published_and_what_to_know_beforehand() -> None:
    picture = terms().picture.model_copy(
        update={
            "finetune": "Luna",
            "trained_by": 77,
            "trainer": "Astria",
            "training_pictures": 12,
            "contributors": (77, 78),
        }
    )
    twin = Alike(a_row(S.CONFIRMED, ip_id=IP, owner_id=5), exact=True)
    near = Alike(a_row(S.SUBMITTED, owner_id=6), exact=False)
    denied = a_review(state=ReviewState.DENIED, reason="Too near to a brand.", decided_by=9, decided_at=START)
    view = a_registration(S.SUBMITTED, terms=terms(picture=picture), alike=(twin, near), denials=(denied,))
    shown = registration_review_card(a_review(kind="register"), view, MEDIA)
    text = words(shown)
    for part in (
        f"<@{OWNER}> would like to register **The cat of the moon** on Story's test network",
        "**Description:** A cat that looks at the earth.",
        "**Tags:** cat, moon",
        "**Prompt, which stays private:** a cat on the moon",
        "Drawn by FLUX 1.1 with the finetune Luna of <@77>, trained at Astria on 12 pictures by <@77> and <@78>.",
        "**Non-commercial social remixing:** Anyone may share",
        "- Ada, 100 %",
        f"**It will belong to** [{WALLET}]",
        "✅ **Tried on chain 1315:** The chain would take it. The fee of about 0.0031 IP is paid by the bot's wallet.",
        "⚠️ **The very same picture**",
        "Looks like",
        "⚠️ **Denied before** by <@9>",
        "Too near to a brand.",
        "Nothing is pinned, minted or paid until you decide.",
        "digest `0123456789ab`",
    ):
        assert part in text, part
    assert labels(shown) == [["Approve", "Deny", "Ask", "Claim"], ["Exact JSON", "Details"]]
    assert presses(shown)[0] == f"1:rev:ok:{ID}:0123456789ab"
    assert shown.files


def test_a_prompt_that_becomes_public_and_a_dry_run_that_fails_are_marked() -> None:
    generation = Generation(provider="bfl", model="FLUX 1.1", prompt="a cat on the moon")
    view = a_registration(
        S.SUBMITTED,
        terms=terms(content=content(generation=generation)),
        dry_run=Tried(sentence="The collection is closed.", fee=None, good=False),
    )
    text = words(registration_review_card(a_review(kind="register"), view, MEDIA))
    assert "**Prompt, which becomes public:**" in text
    assert "❌ **Tried on chain 1315:** The collection is closed." in text
    untried = words(registration_review_card(a_review(kind="register"), replace(view, dry_run=None), MEDIA))
    assert "nobody knows whether it would be taken" in untried


def test_an_approval_can_be_undone_on_the_card_until_pinning_begins() -> None:
    approved = a_registration(S.APPROVED)
    pinning = a_registration(S.PINNING)
    assert approved.review
    assert pinning.review
    assert ["Undo"] in labels(registration_review_card(approved.review, approved, MEDIA))
    assert ["Undo"] not in labels(registration_review_card(pinning.review, pinning, MEDIA))


# News.


@pytest.mark.parametrize(
    ("about", "view", "sentence", "buttons"),
    [
        ("registered", a_registration(S.CONFIRMED), "is registered as [0x", ["Details"]),
        ("denied", a_registration(S.DENIED), "It shows a brand.", ["Edit and submit again", "Details"]),
        ("expired", a_registration(S.EXPIRED), "No moderator has answered", ["Edit and submit again", "Details"]),
        ("asked", a_registration(S.SUBMITTED, talk=(ASKED,)), "Whose cat is it?", ["Answer", "Details"]),
        (
            "failed",
            a_registration(S.FAILED, error="No coins.", approval_id=ID),
            "could not be registered. No coins.",
            ["Try again", "Edit and submit again", "Details"],
        ),
    ],
)
def test_news_begin_with_the_owners_name_and_say_what_can_be_done(
    about: str, view: RegistrationView, sentence: str, buttons: list[str]
) -> None:
    shown = registration_news(view, about, "3").card
    assert words(shown).startswith(f"<@{OWNER}>: ")
    assert sentence in words(shown)
    assert labels(shown) == [buttons]
    assert presses(shown)[-1] == f"1:reg:show:{ID}:{about}.3", "so that after a crash this very message is found"


# Wallets and verdicts.


def test_the_text_to_sign_is_shown_word_for_word() -> None:
    message = f"discord.com wants you to sign in with your Ethereum account:\n{WALLET}\n\nNonce: a*b_c"
    shown = wallet_card(Challenge(WALLET, message, START + 600), OWNER)
    assert f"```\n{message}\n```" in words(shown)
    assert "never asks for your private key" in words(shown)
    assert presses(shown) == [f"1:wal:sign:{OWNER}"]


def test_a_wallet_that_another_member_had_is_said_to_have_moved() -> None:
    wallet = LinkedWallet(OWNER, WALLET, "message", "0x", START)
    text = words(wallet_linked_card(Linked(wallet, OTHER, 77), AENEID))
    assert f"takes the place of [{OTHER}]" in text
    assert "<@77> had linked it before." in text


def test_a_verdict_says_who_registered_who_approved_and_what_others_may_do() -> None:
    view = a_registration(S.CONFIRMED, outcome=PROVEN)
    text = words(verdict_card([Verdict("cat.jpg", SHA, view, standing=Standing((GOOD,), ("Anyone may.",)))]))
    assert "### ✅ cat.jpg: registered as IP" in text
    assert f"Registered by <@{OWNER}>, approved by <@{MODERATOR}>." in text
    assert "Anyone may share and remix it for free" in text
    assert "✅ **Read from the chain just now:**" in text
    moved = words(verdict_card([Verdict("cat.jpg", SHA, view, standing=Standing((WRONG,)))]))
    assert "something is different by now:** Its metadata hash is another one." in moved
    unread = words(verdict_card([Verdict("cat.jpg", SHA, view, standing=Standing(unread="No answer."))]))
    assert "could not be read now:** No answer." in unread


def test_a_verdict_on_what_is_unknown_says_what_it_looks_like() -> None:
    near = a_registration(S.CONFIRMED, outcome=PROVEN)
    text = words(verdict_card([Verdict("cat.jpg", SHA, None, near=(near,))]))
    assert "### cat.jpg: not registered" in text
    assert "It looks like **The cat of the moon**" in text
    alone = words(verdict_card([Verdict("cat.jpg", SHA, None)]))
    assert "Nor does anything that is registered here look like it." in alone
    broken = words(verdict_card([Verdict("cat.jpg", SHA, None, uncomparable="It is no picture.")]))
    assert "It is no picture." in broken


def test_another_communitys_members_are_not_named() -> None:
    view = a_registration(S.CONFIRMED, outcome=PROVEN)
    text = words(verdict_card([Verdict("cat.jpg", SHA, view, foreign=True, standing=Standing((GOOD,)))]))
    assert "another server" in text
    assert f"<@{OWNER}>" not in text
