"""The cards of finetunes and sweeps: what a reader sees in each state, whatever others have typed."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.cards.base.layout import Card
from bot.cards.drawing.card import request_card
from bot.cards.drawing.sweep import sweep_offer
from bot.cards.finetuning.card import finetune_card
from bot.cards.finetuning.details import deletion_question, finetune_details, finetune_list
from bot.cards.finetuning.news import finetune_news
from bot.cards.finetuning.parts import roughly
from bot.cards.finetuning.review import consent_review_card, training_review_card
from bot.discord.buttons import PATTERN, PressButton
from bot.pictures.training_sets.linting import Finding, Severity
from bot.providers import trainer_entries, trainers
from bot.providers.interface import FinetuneRef
from bot.providers.training import FinetuneSpec, Inspection, TrainedSubject
from bot.workflows.base.types import Forecast
from bot.workflows.drawing.types import ImageRequest, PictureView, RequestView, Sweep
from bot.workflows.finetuning.types import CONSENT, FinetuneView, Progress
from standins.discord.rules import check_message
from storage.base.jobs import State
from storage.base.ledger import Entry, LedgerEntry
from storage.finetuning.finetunes import Finetune, FinetuneState, Sample, Share, Visibility
from storage.finetuning.training_images import TrainingImage
from storage.reviewing.reviews import ReviewState
from tests.drawing.test_cards import ID, MEDIA, MODERATOR, OWNER, a_job, a_review, an_image, labels, presses, words
from tests.scenes.clock import START

BEN = 2002
SHA = "ab" * 32
OTHER_SHA = "cd" * 32
"""Of a file that is not there."""
SOON = Forecast(ahead=0, likely=START + 2400, latest=START + 7200)
REF = FinetuneRef(provider="astria", remote_id="77", trigger="ohwx woman")


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of `MEDIA`, with the one file that sheets and samples are here."""
    monkeypatch.chdir(tmp_path)
    MEDIA.path(SHA).parent.mkdir(parents=True)
    MEDIA.path(SHA).touch()


def a_picture(number: int, **changed: Any) -> TrainingImage:
    picture = TrainingImage(
        finetune_id=ID,
        id=f"p{number}",
        position=number,
        sha256=SHA,
        name=f"{number}.jpg",
        caption=None,
        bytes=1,
        width=1024,
        height=1024,
        original_sha256=SHA,
        original_width=2048,
        original_height=2048,
        fingerprint="00" * 8,
        contributor_id=OWNER,
        added_by=OWNER,
        source=None,
        inspection=None,
        added_at=START,
    )
    return replace(picture, **changed)


def a_finetune(state: FinetuneState, *, pictures: int = 6, trainer: str = "bfl", **changed: Any) -> FinetuneView:
    """A finetune; what is changed is of its view, its row or its spec, by the names of their fields."""
    row = Finetune(
        id=ID,
        guild_id=1,
        owner_id=OWNER,
        name="My Cat",
        state=state,
        spec="{}",
        description="",
        visibility=Visibility.PRIVATE,
        open_to_others=False,
        training_set=None,
        sheet=SHA if pictures else None,
        ref=None,
        progress=None,
        model=None,
        strength=None,
        frozen_at=None,
        frozen_by=None,
        ready_at=None,
        expires_at=None,
        warned_at=None,
        created_at=START,
        changed_at=START,
        deleted_at=None,
        deleted_by=None,
    )
    known_trainer = trainers.find(trainer)
    spec = FinetuneSpec(
        id=ID, name="My Cat", trainer=trainer, subject=TrainedSubject.CHARACTER, trigger="ohwx", class_name="cat"
    )
    own = {
        name: value for name, value in changed.items() if name in Finetune.__dataclass_fields__ and name != "progress"
    }
    spec_changes = {name: value for name, value in changed.items() if name in FinetuneSpec.model_fields}
    seen = {name: value for name, value in changed.items() if name not in own and name not in spec_changes}
    columns: dict[str, Any] = {
        "job": a_job(),
        "finetune": replace(row, **own),
        "spec": spec.model_copy(update=spec_changes),
        "trainer": known_trainer,
        "pictures": tuple(a_picture(number) for number in range(1, pictures + 1)),
        "inspections": (None,) * pictures,
        "findings": (),
        "price": known_trainer.price(spec_changes.get("parameters", {}), pictures),
        "tries": (),
        "progress": Progress(),
        "forecast": None,
        "review": None,
        "limit": None,
        "samples": (),
        "shares": (),
        "others": (),
    }
    return FinetuneView(**columns | seen)


def a_try(state: State, **changed: Any) -> Any:
    return a_job(f"{ID}-1", kind="train", state=state, **changed)


def card(view: FinetuneView) -> Card:
    return finetune_card(view, MEDIA)


def find_disabled(shown: Card) -> list[str]:
    buttons = (each for each in shown.view.walk_children() if isinstance(each, PressButton))
    return [each.custom_id for each in buttons if each.item.disabled]


FAILED: dict[str, Any] = {
    "tries": (a_try(State.FAILED, cost_actual=0),),
    "progress": Progress(inferred="It turned the set down."),
}
TRAINING = FinetuneState.TRAINING
EVERY_STATE = [
    a_finetune(FinetuneState.DRAFT, pictures=0),
    a_finetune(FinetuneState.DRAFT),
    a_finetune(FinetuneState.DRAFT, others=(trainer_entries.ASTRIA,), **FAILED),
    a_finetune(FinetuneState.ASKING, price=None, limit=5, review=a_review(kind="train")),
    a_finetune(TRAINING, tries=(a_try(State.WAITING),), forecast=SOON),
    a_finetune(
        TRAINING, tries=(a_try(State.RUNNING, holds_slot=True),), progress=Progress(share=0.35, ordered_at=START)
    ),
    a_finetune(
        FinetuneState.UNKNOWN, tries=(a_try(State.UNKNOWN),), progress=Progress(inferred="The answer was lost.")
    ),
    a_finetune(FinetuneState.READY, samples=tuple(Sample(n, SHA, "image/png") for n in range(9))),
    a_finetune(FinetuneState.READY, frozen_at=START, frozen_by=BEN),
    a_finetune(FinetuneState.EXPIRED, expires_at=START),
    a_finetune(FinetuneState.DELETED, deleted_by=OWNER, deleted_at=START),
]
NASTY = ["plain", "*_`@everyone <@1> [x](http://x.y)" * 30, "🦊" * 900, "e\u0301" * 900, "שלום " * 200, "`" * 900]
NEWS = ["ready", "failed", "unknown", "expiring", "expired", "frozen", "kept", "newer"]


def test_every_state_looks_different_and_says_something_in_every_part() -> None:
    shown = [card(view) for view in EVERY_STATE]
    assert len({each.key for each in shown}) == len(EVERY_STATE)
    assert [each.key for each in shown] == [finetune_card(view, MEDIA).key for view in EVERY_STATE]
    for each in shown:
        assert all(part.content for part in each.view.walk_children() if isinstance(part, discord.ui.TextDisplay))


def test_names_and_words_from_outside_are_shown_and_never_read_as_formatting() -> None:
    hostile = "*x* @everyone <@9> [a](http://b.c)"
    view = a_finetune(FinetuneState.DRAFT, name=hostile, class_name=hostile, trigger="`" + hostile + "`", **FAILED)
    view = replace(
        view,
        findings=(Finding(Severity.HINT, hostile),),
        inspections=(Inspection(complaints=(hostile,)),),
        progress=Progress(inferred=hostile),
    )
    facts = finetune_details(view, MEDIA, entries=(), facts={hostile: hostile}, viewer_id=OWNER)
    for shown in (card(view), facts, finetune_news(view, "failed", "1", MEDIA).card):
        outside_code = re.sub(r"`[^`]*`", "", words(shown))
        assert r"\*x\* \@everyone \<\@9>" in outside_code
        assert not re.search(r"(?<!\\)@everyone|(?<!\\)<@9>|(?<!\\)\[a", outside_code)


@pytest.mark.parametrize("typed", NASTY)
@pytest.mark.parametrize("base", EVERY_STATE)
def test_discord_takes_every_card_with_twenty_pictures_and_the_longest_texts(base: FinetuneView, typed: str) -> None:
    finetune = replace(base.finetune, name=typed[:40], description=typed[:300], visibility=Visibility.SHARED)
    count = 20 if base.pictures else 0
    view = replace(
        base,
        finetune=finetune,
        spec=base.spec.model_copy(
            update={
                "instruction": typed[:300],
                "class_name": typed[:40],
                "trigger": typed[:40],
                "parameters": {f"{typed[:20]}{n}": typed for n in range(20)},
                "pack": typed,
            }
        ),
        pictures=tuple(a_picture(n, contributor_id=10**18 + n, caption=typed) for n in range(1, count + 1)),
        inspections=(Inspection(complaints=(typed,) * 9),) * count,
        findings=tuple(Finding(list(Severity)[n % 3], typed, tuple(range(1, 21))) for n in range(30)),
        progress=base.progress.model_copy(update={"inferred": typed if base.progress.inferred else None}),
        shares=tuple(Share("role", 10**18 + n) for n in range(20)),
        others=trainer_entries.TRAINERS[:4] if base.others else (),
    )
    review = a_review(kind="train", state=ReviewState.DENIED, reason=typed, decided_by=MODERATOR, decided_at=START)
    made = [card(view), deletion_question(view)]
    made += [
        make(asked, view, MEDIA)
        for make in (training_review_card, consent_review_card)
        for asked in (review, a_review())
    ]
    made += [finetune_news(view, about, "1", MEDIA).card for about in NEWS]
    facts = {f"{n}{typed}": typed for n in range(40)}
    made.append(finetune_details(view, MEDIA, entries=(), facts=facts, viewer_id=OWNER))
    for shown in made:
        names = [file.link.removeprefix("attachment://") for file in shown.files]
        check_message("", [], shown.view.to_components(), 1 << 15, names)
        assert all(PATTERN.fullmatch(press) for press in presses(shown))
        assert all(each.content for each in shown.view.walk_children() if isinstance(each, discord.ui.TextDisplay))
    assert len(finetune_list([view] * 60, BEN)) <= 1990


# The draft.


def test_an_empty_draft_says_how_to_add_pictures_and_cannot_be_started() -> None:
    shown = card(a_finetune(FinetuneState.DRAFT, pictures=0))
    assert "“Add pictures” takes up to 20 pictures with their .txt captions, or one ZIP." in words(shown)
    assert "right-click a message › Apps › “Add to training set”" in words(shown)
    assert labels(shown) == [["Add pictures", "Options", "Let others add", "Discard"]]


def test_a_draft_shows_all_that_is_agreed_to_by_starting_it() -> None:
    view = a_finetune(FinetuneState.DRAFT, parameters={"iterations": 300, "finetune_type": "lora"}, open_to_others=True)
    shown = card(view)
    text = words(shown)
    for part in ("My Cat", "a character (cat)", "Black Forest Labs", "`ohwx`", "Finetune type `lora`", CONSENT):
        assert part in text
    assert "about $4.00" in text
    assert "usually 40 min, at most 2 h" in text
    assert "Iterations" not in text, "that is the usual number"
    assert [file.filename for file in shown.files] == [f"{ID}-set.jpg"]
    assert labels(shown) == [
        ["Add pictures", "Captions", "Remove", "Options", "Close to others"],
        ["Start training for $4.00", "Discard"],
    ]
    assert f"1:fin:start:{ID}:{view.digest[:12]}" in presses(shown)


def test_findings_stand_with_the_gravest_first_and_errors_block_the_start() -> None:
    findings = (
        Finding(Severity.HINT, "Captions help."),
        Finding(Severity.WARNING, "These look alike.", (2, 5)),
        Finding(Severity.ERROR, "It is too small.", (3,)),
        Finding(Severity.WARNING, "Pictures 4 and 6 are the same file.", (4, 6)),
        *(Finding(Severity.HINT, f"Hint {n}.") for n in range(9)),
    )
    shown = card(a_finetune(FinetuneState.DRAFT, findings=findings))
    text = words(shown)
    assert text.index("It is too small. (picture 3)") < text.index("(pictures 2 and 5)") < text.index("Captions help.")
    assert "and 5 more findings" in text
    assert "Pictures 4 and 6 are the same file.\n" in text, "which does not need to be said twice"
    assert [press.split(":")[2] for press in find_disabled(shown)] == ["start"]


def test_what_the_inspection_saw_is_told_picture_by_picture() -> None:
    seen = (None, None, Inspection(complaints=("several people", "blurry")), None, Inspection(), None)
    assert "Picture 3: several people, blurry" in words(card(a_finetune(FinetuneState.DRAFT, inspections=seen)))


def test_a_price_that_nobody_publishes_is_not_made_up() -> None:
    shown = card(a_finetune(FinetuneState.DRAFT, trainer="vimmerse-flux"))
    assert "**Price:** not published." in words(shown)
    assert labels(shown)[1][0] == "Start training (price not published)"
    assert "Vimmerse FLUX makes up the rest" in words(shown)


@pytest.mark.parametrize(
    ("cost", "sentence"),
    [
        (0, "Nothing was charged."),
        (None, "Whether it was charged is not known: the admin can look."),
        (4_000_000, "It was charged ($4.00)."),
    ],
)
def test_a_failed_training_says_why_what_it_cost_and_who_else_could_do_it(cost: int | None, sentence: str) -> None:
    failed: dict[str, Any] = FAILED | {"tries": (a_try(State.FAILED, cost_actual=cost),)}
    shown = card(a_finetune(FinetuneState.DRAFT, others=trainer_entries.TRAINERS[:4], **failed))
    assert f"It turned the set down.\n{sentence}" in words(shown)
    assert labels(shown)[-1] == [f"Use {each.label} instead" for each in trainer_entries.TRAINERS[:3]]
    assert f"1:fin:other:{ID}:astria" in presses(shown)


def test_a_denied_training_is_a_draft_again_with_the_moderators_reason() -> None:
    review = a_review(kind="train", state=ReviewState.DENIED, decided_by=MODERATOR, reason="too **dear**")
    cancelled = (a_try(State.CANCELLED, cost_actual=0),)
    text = words(card(a_finetune(FinetuneState.DRAFT, review=review, tries=cancelled)))
    assert rf"<@{MODERATOR}> said no: too \*\*dear\*\*" in text
    assert "Nothing was charged." in text


# The training.


def test_a_question_to_a_moderator_can_be_taken_back() -> None:
    shown = card(a_finetune(FinetuneState.ASKING, limit=1_000_000, review=a_review(kind="train")))
    assert "more than $1.00 needs a moderator's yes. Nothing is ordered or charged until then." in words(shown)
    assert f"The approval request closes <t:{START + 3600:.0f}:R>." in words(shown)
    assert labels(shown) == [["Back to the draft", "Details"]]


def test_only_what_is_not_ordered_yet_can_be_stopped() -> None:
    queued = card(a_finetune(TRAINING, tries=(a_try(State.WAITING),), forecast=replace(SOON, ahead=2)))
    assert "2 trainings ahead" in words(queued)
    assert labels(queued) == [["Stop", "Details"]]
    waiting, ordered = a_try(State.WAITING), Progress(share=0.35, ordered_at=START)
    training = card(a_finetune(TRAINING, tries=(waiting,), forecast=SOON, progress=ordered))
    assert "▰▰▰▱▱▱▱▱▱▱ 35%" in words(training)
    assert f"Usually <t:{START + 2400:.0f}:R>, seldom more than <t:{START + 7200:.0f}:R>." in words(training)
    assert "You will be told here when it is ready, even if that takes days." in words(training)
    assert labels(training) == [["Details"]]


def test_a_lost_training_may_only_be_repeated_knowing_that_it_may_cost_twice() -> None:
    view = a_finetune(FinetuneState.UNKNOWN, progress=Progress(inferred="Astria was **looked** through."))
    shown = card(view)
    assert r"Astria was \*\*looked\*\* through." in words(shown)
    assert labels(shown) == [["Train again (may be charged twice)", "Details"]]
    assert presses(shown)[0] == f"1:fin:again:{ID}:{view.digest[:12]}"


@pytest.mark.parametrize(
    ("trainer", "sentence"),
    [
        ("bfl", "Training it again may cost the same once more: about $4.00."),
        ("vimmerse-flux", "Training it again may cost the same once more; nobody here knows how much."),
    ],
)
def test_what_training_again_may_cost_is_a_sentence_also_where_nobody_knows(trainer: str, sentence: str) -> None:
    view = a_finetune(FinetuneState.UNKNOWN, trainer=trainer)
    assert f"\n{sentence}" in words(card(view))
    assert sentence in words(finetune_news(view, "unknown", "1", MEDIA).card)


def test_what_is_of_no_kind_in_particular_is_just_a_finetune() -> None:
    view = a_finetune(FinetuneState.DRAFT, subject=TrainedSubject.GENERAL, class_name="")
    assert f"<@{OWNER}> makes a finetune with Black Forest Labs." in words(card(view))
    cups = a_finetune(FinetuneState.READY, subject=TrainedSubject.GENERAL, class_name="cup")
    assert f"A finetune (cup) by <@{OWNER}>, trained with" in words(card(cups))


def test_a_file_that_is_not_there_any_more_is_left_out() -> None:
    samples = (Sample(1, OTHER_SHA, "image/png"), Sample(2, SHA, "image/png"))
    ready = a_finetune(FinetuneState.READY, samples=samples, sheet=OTHER_SHA)
    assert [file.filename for file in card(ready).files] == [f"{ID}-sample-2.png"]
    shown = [
        card(a_finetune(FinetuneState.DRAFT, sheet=OTHER_SHA)),
        training_review_card(a_review(kind="train"), ready, MEDIA),
        request_card(a_sweep(*[State.DONE] * 10, sheet=OTHER_SHA), MEDIA),
    ]
    assert [each.files for each in shown] == [()] * 3
    assert "The sheet of this comparison is not there any more." in words(shown[-1])


# What has become of it.


def test_a_ready_finetune_says_how_to_use_it() -> None:
    samples = (Sample(1, SHA, "image/png"), Sample(2, SHA, "image/jpeg"))
    ready = a_finetune(
        FinetuneState.READY, trainer="astria", samples=samples, ref=REF.model_dump_json(), expires_at=START + 99
    )
    shown = card(ready)
    assert "`/imagine finetune:My Cat prompt:…`" in words(shown)
    assert "`ohwx woman`" in words(shown), "as its trainer has it"
    assert "**Strength** (usually 1): raise it" in words(shown)
    assert f"deletes it <t:{START + 99:.0f}:R>" in words(shown)
    assert [file.filename for file in shown.files] == [f"{ID}-sample-1.png", f"{ID}-sample-2.jpg"]
    assert labels(shown) == [["Draw with it", "Compare strengths", "Details", "Share"]]


def test_strengths_are_compared_only_where_there_are_any() -> None:
    shown = card(a_finetune(FinetuneState.READY, trainer="vimmerse-flux"))
    assert "Strength" not in words(shown)
    assert labels(shown) == [["Draw with it", "Details", "Share"]]


def test_a_frozen_finetune_says_why_and_draws_nothing() -> None:
    view = a_finetune(FinetuneState.READY, frozen_at=START, frozen_by=BEN)
    view = replace(view, pictures=(*view.pictures, a_picture(7, contributor_id=BEN, withdrawn_at=START)))
    assert f"<@{BEN}> has withdrawn 1 picture" in words(card(view))
    assert labels(card(view)) == [["Details", "Share"]]


def test_an_expired_finetune_can_be_trained_again_as_long_as_its_pictures_are_there() -> None:
    assert labels(card(a_finetune(FinetuneState.EXPIRED))) == [["Train it again", "Details"]]
    assert labels(card(a_finetune(FinetuneState.EXPIRED, pictures=0))) == [["Details"]]


def test_a_deleted_finetune_says_by_whom_and_what_its_trainer_keeps() -> None:
    kept = Progress(inferred="This trainer deletes nothing.")
    gone = a_finetune(FinetuneState.DELETED, pictures=0, deleted_by=MODERATOR, ref=REF.model_dump_json(), progress=kept)
    assert f"deleted by a moderator, <@{MODERATOR}>" in words(card(gone))
    assert "still has it: This trainer deletes nothing." in words(card(gone))
    assert presses(card(gone)) == []


def test_a_draft_that_was_forgotten_says_so() -> None:
    gone = a_finetune(FinetuneState.DELETED, pictures=0, deleted_by=0)
    sentence = "Nobody changed this draft for 30 days, so it was deleted with its pictures.\nNothing was charged."
    assert sentence in words(card(gone))


# For one person, and for moderators.


def test_details_have_the_money_the_consent_and_the_trainers_own_words() -> None:
    view = a_finetune(FinetuneState.READY, visibility=Visibility.SHARED, shares=(Share("role", 7),), training_set=SHA)
    pictures = (a_picture(1, consented_at=START), a_picture(2, contributor_id=BEN, consented_at=START))
    entries = [
        LedgerEntry(f"{ID}-1", Entry.ESTIMATE, 4_000_000, "", START),
        LedgerEntry(f"{ID}-1", Entry.CHARGE, 6_000_000, "", START),
        LedgerEntry(f"{ID}-1", Entry.REFUND, 2_000_000, "", START),
    ]
    view = replace(view, pictures=pictures)
    facts = {"status": "**done** <@1>"}
    shown = finetune_details(view, MEDIA, entries=entries, facts=facts, viewer_id=BEN)
    for part in (
        "estimated $4.00, charged $6.00, refunded $2.00",
        f"- <@{BEN}>: 1 picture, consent given <t:{START:.0f}:D>",
        r"\*\*done\*\* \<\@1>",
        "<@&7>",
        "`abababababab…`",
    ):
        assert part in words(shown)
    assert labels(shown) == [["Withdraw my pictures"]]
    mine = finetune_details(view, MEDIA, entries=entries, facts={}, viewer_id=OWNER)
    assert labels(mine) == [["Withdraw my pictures", "Delete"]]
    theirs = finetune_details(view, MEDIA, entries=entries, facts={}, viewer_id=MODERATOR)
    assert labels(theirs) == []


def test_the_list_has_what_is_mine_first_and_says_how_many_more_there_are() -> None:
    mine = a_finetune(TRAINING, progress=Progress(share=0.5))
    other = a_finetune(FinetuneState.READY, owner_id=BEN, visibility=Visibility.COMMUNITY)
    shared = a_finetune(FinetuneState.READY, owner_id=BEN, visibility=Visibility.SHARED)
    text = finetune_list([other, shared, mine], OWNER)
    assert text.index("**Yours**") < text.index("**Shared with you**") < text.index("**Everybody's**")
    assert "training, 50% · Black Forest Labs · `ohwx`" in text
    assert "more: `/finetune show`" in finetune_list([mine] * 60, OWNER)
    assert "/finetune create" in finetune_list([], OWNER)


def test_before_deleting_it_is_said_what_the_trainer_keeps() -> None:
    kept = deletion_question(a_finetune(FinetuneState.READY, trainer="vimmerse-flux", ref=REF.model_dump_json()))
    assert "deletes nothing" in words(kept)
    assert "its 6 pictures with their captions, the contact sheet and its settings." in words(kept)
    assert presses(kept) == [f"1:fin:deleted:{ID}"]
    unsure = words(deletion_question(a_finetune(FinetuneState.UNKNOWN, pictures=0)))
    assert "Gone for good: its settings." in unsure
    assert "If Black Forest Labs did take the training, its model stays there." in unsure
    assert "is asked to delete" in words(deletion_question(a_finetune(FinetuneState.READY, ref=REF.model_dump_json())))


def test_the_owner_is_told_by_name_with_a_link() -> None:
    for about in NEWS:
        shown = finetune_news(a_finetune(FinetuneState.READY), about, "1", MEDIA).card
        assert words(shown).startswith(f"<@{OWNER}> ")
        assert "https://discord.com/channels/1/2/3" in words(shown)
    ready = finetune_news(a_finetune(FinetuneState.READY), "ready", "1", MEDIA).card
    assert labels(ready) == [["Draw with it", "Compare strengths", "Details"]]
    failed = finetune_news(
        a_finetune(FinetuneState.DRAFT, others=(trainer_entries.ASTRIA,), **FAILED), "failed", "1", MEDIA
    ).card
    assert "It turned the set down. Nothing was charged." in words(failed)
    assert labels(failed) == [["Use Astria instead", "Details"]]


def test_moderators_see_what_is_trained_by_whom_and_for_how_much() -> None:
    asked = training_review_card(a_review(kind="train"), a_finetune(FinetuneState.ASKING, limit=1_000_000), MEDIA)
    assert "about $4.00, above this server's limit of $1.00" in words(asked)
    assert "confirmed for 0 of 6 pictures" in words(asked)
    assert presses(asked) == [f"1:rev:ok:{ID}:0123456789ab", f"1:rev:deny:{ID}:0123456789ab", f"1:rev:claim:{ID}"]
    assert len(asked.files) == 1


def test_moderators_see_what_the_checks_found() -> None:
    findings = (Finding(Severity.HINT, "Captions help."), Finding(Severity.WARNING, "These look alike.", (2, 5)))
    asked = training_review_card(a_review(kind="train"), a_finetune(FinetuneState.ASKING, findings=findings), MEDIA)
    assert "**The checks found:**" in words(asked)
    assert words(asked).index("These look alike. (pictures 2 and 5)") < words(asked).index("Captions help.")


@pytest.mark.parametrize(
    ("seconds", "long"),
    [(20, "1 min"), (2400, "40 min"), (5400, "1 h 30 min"), (7 * 86_400, "7 days"), (1e12, "more than a year")],
)
def test_how_long_a_training_takes_is_said_in_words_that_end(seconds: float, long: str) -> None:
    assert roughly(seconds) == long


def test_a_withdrawn_consent_is_decided_by_keeping_or_deleting() -> None:
    view = a_finetune(FinetuneState.READY, frozen_at=START)
    view = replace(view, pictures=(*view.pictures, a_picture(7, contributor_id=BEN, withdrawn_at=START)))
    asked = consent_review_card(a_review(kind="consent", requested_by=BEN), view, MEDIA)
    assert f"<@{BEN}> has withdrawn 1 of 7 pictures" in words(asked)
    assert labels(asked) == [["Keep the finetune", "Delete the finetune", "Claim"]]
    denied = a_review(kind="consent", requested_by=BEN, state=ReviewState.DENIED, decided_by=MODERATOR)
    assert labels(consent_review_card(denied, view, MEDIA)) == []


# Sweeps.


def a_sweep(*states: State, sheet: str | None = SHA, error: str = "No.") -> RequestView:
    """Pictures of five strengths with two seeds."""
    sweep = Sweep(strengths=(0.6, 0.8, 1.0, 1.2, 1.4), seeds=(7, 8))
    pictures = tuple(
        PictureView(
            a_job(f"{ID}-{n}", state=state, cost_actual=0 if state is State.FAILED else 70_000, error=error),
            an_image(n) if state is State.DONE else None,
        )
        for n, state in enumerate(states, 1)
    )
    request = ImageRequest(prompt="a cat", model="astria-flux", finetune=ID, finetune_name="*My* Cat", sweep=sweep)
    return RequestView(a_job(), request, pictures, sheet=sheet)


def test_a_sweep_counts_what_is_drawn_and_names_its_finetune() -> None:
    shown = request_card(a_sweep(*[State.DONE] * 3, *[State.RUNNING] * 7), MEDIA)
    assert "3 of 10 drawn" in words(shown)
    assert r"finetune \*My\* Cat" in words(shown)
    assert shown.files == ()


def test_a_finished_sweep_is_one_sheet_with_a_button_for_each_strength() -> None:
    shown = request_card(a_sweep(*[State.DONE] * 6, *[State.FAILED] * 2, *[State.DONE] * 2), MEDIA)
    assert [file.filename for file in shown.files] == [f"{ID}-sheet.jpg"]
    assert "1.2 with seed 7 and 1.2 with seed 8 are missing: No. Nothing was charged." in words(shown)
    assert "$0.56" in words(shown)
    assert labels(shown) == [["Keep 0.6", "Keep 0.8", "Keep 1", "Keep 1.4"], ["Details", "Register", "Delete"]]
    assert presses(shown)[3] == f"1:fin:keep:{ID}:4"


@pytest.mark.parametrize("states", [[State.DONE] + [State.FAILED] * 9, [State.FAILED] * 10, [State.UNKNOWN] * 10])
@pytest.mark.parametrize("error", ["*" * 900, "x" * 900])
def test_discord_takes_a_sweep_of_which_everything_fails(states: list[State], error: str) -> None:
    view = a_sweep(*states, error=error)
    pictures = tuple(replace(each, job=replace(each.job, error=f"{n}{error}")) for n, each in enumerate(view.pictures))
    request = view.request.model_copy(update={"prompt": "*" * 4000, "finetune_name": "*" * 60})
    shown = request_card(replace(view, pictures=pictures, request=request), MEDIA)
    names = [file.link.removeprefix("attachment://") for file in shown.files]
    check_message("", [], shown.view.to_components(), 1 << 15, names)


def test_the_price_of_a_sweep_comes_before_it_is_drawn() -> None:
    request = a_sweep().request
    offered = sweep_offer(request, 70_000, False, "draft1")
    assert "10 pictures, about $0.70" in words(offered)
    assert "guess" not in words(offered)
    assert presses(offered) == ["1:fin:sweeping:draft1"]
    assert "guess" in words(sweep_offer(request, 70_000, True, "draft1"))
