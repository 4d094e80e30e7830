"""Cards, as pure functions of what is known."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.cards.base.layout import Card, Copy
from bot.cards.base.words import money, quoted
from bot.cards.community.settings import community_text, defaults_text
from bot.cards.drawing.card import image_card, request_card
from bot.cards.drawing.details import request_details
from bot.cards.drawing.history import history_text
from bot.cards.drawing.review import spending_review_card
from bot.discord.buttons import PressButton
from bot.workflows.base.types import Forecast
from bot.workflows.drawing.types import ImageRequest, PictureView, RequestView
from standins.discord.rules import check_message
from storage.base.jobs import NEVER, Job, State
from storage.community.communities import Community
from storage.community.members import Defaults
from storage.drawing.images import Image
from storage.media import Media
from storage.reviewing.reviews import Review, ReviewState
from tests.scenes.clock import START

ID = "3k9x2f7a1bcde"
OWNER, MODERATOR = 1001, 1002
MEDIA = Media(Path("media"))
CHARGED: dict[str, Any] = {"cost_actual": 60_000}
SOON = Forecast(ahead=3, likely=START + 20, latest=START + 60)


def a_job(job_id: str = ID, **changed: Any) -> Job:
    columns: dict[str, Any] = {
        "id": job_id,
        "kind": "imagine" if job_id == ID else "draw",
        "state": State.PARKED,
        "guild_id": 1,
        "channel_id": 2,
        "message_id": 3,
        "owner_id": OWNER,
        "parent_id": None if job_id == ID else ID,
        "position": 0,
        "request": "{}",
        "lane": "bfl",
        "turn": 0,
        "holds_slot": False,
        "due_at": START,
        "attempts": 0,
        "cost_estimated": 60_000,
        "cost_actual": None,
        "error": None,
        "created_at": START,
        "started_at": None,
        "ended_at": None,
    }
    return Job(**columns | changed)


def an_image(number: int, **changed: Any) -> Image:
    image = Image(
        id=f"{ID}-{number}",
        job_id=ID,
        position=number - 1,
        guild_id=1,
        owner_id=OWNER,
        sha256=f"{number:064x}",
        media_type="image/jpeg",
        width=2752,
        height=1536,
        bytes=1_500_000,
        seed=41 + number,
        parent_image_id=None,
        created_at=START,
    )
    return replace(image, **changed)


def a_view(
    *pictures: State | tuple[State, dict[str, Any]], prompt: str = "a cat on the moon", **more: Any
) -> RequestView:
    """A request with these pictures; those that are done have an image."""
    views: list[PictureView] = []
    for number, given in enumerate(pictures, 1):
        state, columns = given if isinstance(given, tuple) else (given, {})
        ended = {"ended_at": START + 12} if state.ended else {}
        job = a_job(f"{ID}-{number}", state=state, position=number - 1, **ended | columns)
        views.append(PictureView(job, an_image(number) if state is State.DONE else None))
    request = ImageRequest(prompt=prompt, model="flux-pro-1.1-ultra", count=len(views))
    return RequestView(a_job(cost_estimated=60_000 * len(views)), request, tuple(views), **more)


def a_review(**changed: Any) -> Review:
    review = Review(
        id=ID,
        kind="spend",
        state=ReviewState.OPEN,
        guild_id=1,
        channel_id=5,
        message_id=None,
        requested_by=OWNER,
        subject=ID,
        digest="0123456789abcdef" * 4,
        created_at=START,
        expires_at=START + 3600,
    )
    return replace(review, **changed)


def words(card: Card) -> str:
    return "\n".join(item.content for item in card.view.walk_children() if isinstance(item, discord.ui.TextDisplay))


def labels(card: Card) -> list[list[str]]:
    """The buttons, row by row."""
    rows = [row for row in card.view.walk_children() if isinstance(row, discord.ui.ActionRow)]
    return [[str(each.item.label) for each in row.children if isinstance(each, PressButton)] for row in rows]


def presses(card: Card) -> list[str]:
    return [each.custom_id for each in card.view.walk_children() if isinstance(each, PressButton)]


def card_of(view: RequestView) -> Card:
    return request_card(view, MEDIA)


EVERY_STAGE = [
    a_view(State.WAITING, State.WAITING, forecast=SOON),
    a_view(State.RUNNING, forecast=SOON),
    a_view(State.PARKED, State.PARKED, review=a_review()),
    a_view((State.DONE, CHARGED), State.RUNNING, forecast=SOON),
    a_view((State.DONE, CHARGED)),
    a_view(*[(State.DONE, CHARGED)] * 4),
    a_view(
        (State.DONE, CHARGED), State.UNKNOWN, (State.FAILED, {"cost_actual": 0, "error": "x" * 900}), State.CANCELLED
    ),
    a_view(State.UNKNOWN),
    a_view(*[(State.FAILED, {"cost_actual": 0, "error": f"{n}" * 900}) for n in range(4)]),
    a_view((State.CANCELLED, {"cost_actual": 0})),
    a_view((State.CANCELLED, {"cost_actual": 0}), review=a_review(state=ReviewState.DENIED, reason="@" * 4000)),
    a_view((State.CANCELLED, {"cost_actual": 0}), review=a_review(state=ReviewState.EXPIRED)),
]
PROMPTS = [
    "",
    "a cat",
    "*" * 4000,
    "🦊" * 4000,
    "e\u0301" * 2000,
    "<@1> @everyone " * 250,
    "שלום " * 800,
    "\u200d" * 4000,
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("view", EVERY_STAGE)
def test_discord_takes_every_card_of_every_stage_with_any_prompt(view: RequestView, prompt: str) -> None:
    view = replace(view, request=view.request.model_copy(update={"prompt": prompt}))
    review = a_review(state=ReviewState.DENIED, decided_by=MODERATOR, decided_at=START, reason=prompt or "no")
    made = [card_of(view), spending_review_card(a_review(), view), spending_review_card(review, view)]
    made += [image_card(view, image, MEDIA) for image in view.images]
    for card in made:
        names = [file.link.removeprefix("attachment://") for file in card.files]
        check_message("", [], card.view.to_components(), 1 << 15, names)
        assert all(len(file.description) <= 1024 for file in card.files)
    assert len(request_details(view)) < 2000
    assert len(history_text([view] * 60)) < 2000


# What it says.


def test_a_waiting_card_says_its_place_when_it_will_be_ready_and_what_it_will_cost() -> None:
    card = card_of(a_view(State.WAITING, State.WAITING, forecast=SOON))
    assert "3 pictures ahead" in words(card)
    assert f"<t:{START + 20:.0f}:R>" in words(card)
    assert f"<t:{START + 60:.0f}:R>" in words(card)
    assert "FLUX 1.1" in words(card)
    assert "about $0.12" in words(card)
    assert f"`{ID}`" in words(card), "an id to quote"
    assert presses(card) == [f"1:img:cancel:{ID}"]


def test_what_is_ordered_already_cannot_be_cancelled() -> None:
    ordered = a_view((State.WAITING, {"holds_slot": True}), State.RUNNING, forecast=SOON)
    assert presses(card_of(ordered)) == []
    assert presses(card_of(a_view(State.RUNNING, State.WAITING, forecast=SOON))) == [f"1:img:cancel:{ID}"]


def test_a_card_counts_what_is_drawn() -> None:
    card = card_of(a_view((State.DONE, CHARGED), State.RUNNING, State.WAITING, (State.DONE, CHARGED), forecast=SOON))
    assert "2 of 4 drawn" in words(card)
    assert card.files == (), "the pictures come together, at the end"


def test_a_busy_service_is_named_with_the_time_of_the_next_try() -> None:
    busy = {"error": "The image service is busy.", "due_at": START + 30}
    text = words(card_of(a_view((State.WAITING, busy), forecast=SOON)))
    assert f"The image service is busy. Trying again <t:{START + 30:.0f}:R>." in text
    parked = words(card_of(a_view((State.WAITING, busy | {"due_at": NEVER}), forecast=SOON)))
    assert "Trying again" not in parked


def test_a_question_to_a_moderator_says_that_nothing_is_charged_until_then() -> None:
    text = words(card_of(a_view(State.PARKED, review=a_review())))
    assert "Waiting for a moderator" in text
    assert "Nothing is drawn or charged until then." in text


def test_a_picture_comes_with_its_price_seed_time_and_alt_text() -> None:
    card = card_of(a_view((State.DONE, CHARGED)))
    assert "seed `42` · 12 s · $0.06" in words(card)
    (file,) = card.files
    assert (file.filename, file.description) == (f"{ID}-1.jpg", "a cat on the moon")
    assert labels(card) == [["Vary", "Edit", "Register"], ["Again", "Edit prompt", "Details", "Delete"]]


def test_four_pictures_have_four_rows_of_buttons() -> None:
    card = card_of(a_view(*[(State.DONE, CHARGED)] * 4))
    assert labels(card) == [
        ["Pick 1", "Pick 2", "Pick 3", "Pick 4"],
        ["Vary 1", "Vary 2", "Vary 3", "Vary 4"],
        ["Edit 1", "Edit 2", "Edit 3", "Edit 4", "Register"],
        ["Again", "Edit prompt", "Details", "Delete"],
    ]
    assert presses(card)[4:6] == [f"1:img:vary:{ID}-1", f"1:img:vary:{ID}-2"]
    assert presses(card)[12] == f"1:reg:choose:{ID}", "a form asks which"
    assert presses(card)[-4:] == [f"1:img:{verb}:{ID}" for verb in ("again", "prompt", "info", "delete")]


def test_a_model_that_has_left_the_catalogue_is_named_by_its_key() -> None:
    view = a_view((State.DONE, CHARGED))
    view = replace(view, request=view.request.model_copy(update={"model": "flux-of-old"}))
    assert "flux-of-old" in words(card_of(view))
    assert "flux-of-old" in request_details(view)


def test_missing_pictures_are_named_with_their_reason_and_what_they_cost() -> None:
    turned_down = {"error": "The service's moderation turned it down.", "cost_actual": 0}
    lost = {"error": "Drawn, but lost.", "cost_actual": 60_000}
    card = card_of(
        a_view((State.FAILED, turned_down), (State.DONE, CHARGED), (State.FAILED, lost), (State.FAILED, turned_down))
    )
    assert "1 of 4 pictures" in words(card)
    assert "Pictures 1 and 4 are missing: The service's moderation turned it down. Nothing was charged." in words(card)
    assert "Picture 3 is missing: Drawn, but lost. It was charged ($0.06)." in words(card)
    assert "$0.12" in words(card)


@pytest.mark.parametrize(
    ("cost", "sentence"),
    [(0, "Nothing was charged."), (60_000, "It was charged ($0.06)."), (None, "It may have been charged.")],
)
def test_what_a_failure_cost_is_what_the_records_say_and_not_what_its_reason_does(
    cost: int | None, sentence: str
) -> None:
    reason = "Your cat is charged with a lightning bolt."
    state = State.UNKNOWN if cost is None else State.FAILED
    assert f"{reason} {sentence}" in words(card_of(a_view((state, {"error": reason, "cost_actual": cost}))))


def test_a_failed_request_can_be_changed_or_tried_again() -> None:
    card = card_of(a_view((State.FAILED, {"error": "No.", "cost_actual": 0})))
    assert presses(card) == [f"1:img:{verb}:{ID}" for verb in ("prompt", "retry", "info")]
    assert "Try again later; “Edit prompt” sends it with other words." in words(card)


def test_an_unknown_outcome_says_plainly_what_trying_again_may_cost() -> None:
    card = card_of(a_view(State.UNKNOWN))
    assert "It may have been charged" in words(card)
    assert labels(card)[0][0] == "Try again (may be charged twice)"
    beside = card_of(a_view((State.DONE, CHARGED), State.UNKNOWN))
    assert labels(beside)[-1][0] == "Try again (may be charged twice)"
    assert "about $0.12" in words(beside), "what is not known is estimated"


def test_a_denial_gives_the_moderators_reason_and_an_expiry_blames_nobody() -> None:
    cancelled = (State.CANCELLED, {"cost_actual": 0})
    denied = a_review(state=ReviewState.DENIED, decided_by=MODERATOR, decided_at=START, reason="too **dear**")
    text = words(card_of(a_view(cancelled, review=denied)))
    assert rf"<@{MODERATOR}> decided: too \*\*dear\*\*" in text
    assert "Nothing was charged." in text
    expired = words(card_of(a_view(cancelled, review=a_review(state=ReviewState.EXPIRED))))
    assert "No moderator answered in time" in expired
    own = words(card_of(a_view(cancelled, review=a_review(state=ReviewState.WITHDRAWN))))
    assert "### Cancelled" in own


@pytest.mark.parametrize(
    ("by", "sentence"),
    [(None, "were deleted."), (OWNER, "by their owner."), (MODERATOR, f"a moderator, <@{MODERATOR}>.")],
)
def test_a_deleted_request_keeps_neither_pictures_nor_buttons_nor_prompt(by: int | None, sentence: str) -> None:
    view = a_view((State.DONE, CHARGED))
    gone = tuple(replace(picture, image=None) for picture in view.pictures)
    card = card_of(replace(view, pictures=gone, deleted_by=by))
    assert sentence in words(card)
    assert "cat" not in words(card)
    assert (card.files, presses(card)) == ((), [])


def test_a_picture_by_itself_has_its_own_buttons() -> None:
    view = a_view(*[(State.DONE, CHARGED)] * 3)
    card = image_card(view, view.images[1], MEDIA)
    assert "Picture 2 of 3" in words(card)
    assert [file.filename for file in card.files] == [f"{ID}-2.jpg"]
    assert presses(card) == [
        f"1:img:vary:{ID}-2",
        f"1:img:edit:{ID}-2",
        f"1:img:again:{ID}",
        f"1:img:info:{ID}",
        f"1:reg:begin:{ID}-2",
    ]


def test_a_spoiler_is_hidden_in_the_gallery_and_in_the_file() -> None:
    view = a_view((State.DONE, CHARGED))
    view = replace(view, request=view.request.model_copy(update={"spoiler": True}))
    card = card_of(view)
    (gallery,) = (item for item in card.view.walk_children() if isinstance(item, discord.ui.MediaGallery))
    assert [(each.spoiler, each.media.url) for each in gallery.items] == [(True, f"attachment://SPOILER_{ID}-1.jpg")]
    assert card.files[0].spoiler


def test_a_smaller_copy_is_called_one() -> None:
    view = a_view(*[(State.DONE, CHARGED)] * 2)
    copies = {view.images[1].sha256: Copy(Path("copy"), "webp")}
    card = request_card(view, MEDIA, copies)
    assert "smaller copy" in words(card)
    assert [file.filename for file in card.files] == [f"{ID}-1.jpg", f"{ID}-2.webp"]
    assert "smaller copy" not in words(card_of(view))


def test_a_moderator_sees_what_is_asked_and_decides_on_exactly_that() -> None:
    view = a_view(State.PARKED, State.PARKED, limit=100_000)
    card = spending_review_card(a_review(), view)
    assert f"<@{OWNER}> would like 2 pictures" in words(card)
    assert "about $0.12, above this server's limit of $0.10" in words(card)
    assert "a cat on the moon" in words(card)
    assert presses(card) == [f"1:rev:ok:{ID}:0123456789ab", f"1:rev:deny:{ID}:0123456789ab", f"1:rev:claim:{ID}"]


def test_a_claimed_question_says_by_whom_and_a_decided_one_has_no_buttons() -> None:
    view = a_view(State.PARKED)
    claimed = a_review(claimed_by=MODERATOR, claimed_until=START + 1800)
    assert f"<@{MODERATOR}> has this one until <t:{START + 1800:.0f}:t>." in words(spending_review_card(claimed, view))
    decided = a_review(state=ReviewState.DENIED, decided_by=MODERATOR, decided_at=START, reason="no")
    card = spending_review_card(decided, view)
    assert f"Denied by <@{MODERATOR}>" in words(card)
    assert "Reason: no" in words(card)
    assert presses(card) == []


# Whether there is anything new to see.


def test_equal_sights_have_equal_keys_and_every_visible_change_another() -> None:
    seen: Sequence[RequestView] = [
        *EVERY_STAGE,
        a_view(State.WAITING, State.WAITING, forecast=replace(SOON, ahead=2)),
        a_view(State.WAITING, State.WAITING, forecast=replace(SOON, likely=START + 40)),
        a_view(State.WAITING, State.WAITING, forecast=SOON, prompt="a dog"),
    ]
    keys = [card_of(view).key for view in seen]
    assert len(set(keys)) == len(keys)
    assert keys == [card_of(view).key for view in seen]
    worked = replace(seen[0], job=a_job(attempts=7, turn=9, cost_estimated=120_000))
    assert card_of(worked).key == keys[0], "what is not shown does not count"


def test_a_card_can_be_opened_for_every_try(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(b"bytes")
    view = a_view((State.DONE, CHARGED))
    card = request_card(view, MEDIA, {view.images[0].sha256: Copy(path, "jpg")})
    for _ in range(2):
        (file,) = card.open_files()
        assert (file.filename, file.fp.read()) == (f"{ID}-1.jpg", b"bytes")
        file.close()


def test_files_are_closed_again_when_one_of_them_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(b"bytes")
    view = a_view(*[(State.DONE, CHARGED)] * 2)
    copies = {view.images[0].sha256: Copy(path, "jpg"), view.images[1].sha256: Copy(tmp_path / "none", "jpg")}
    with pytest.raises(FileNotFoundError):  # an open file would be a ResourceWarning, which fails the run
        request_card(view, MEDIA, copies).open_files()


# Other people's words.


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("**bold** _it_ ~~no~~ ||spoiler||", r"\*\*bold\*\* \_it\_ \~\~no\~\~ \|\|spoiler\|\|"),
        ("`code` back\\slash", r"\`code\` back\\slash"),
        ("<@1> <#2> <:a:3> <t:1:R> @everyone", r"\<\@1> \<#2> \<\:a\:3> \<t\:1\:R> \@everyone"),
        ("[a](http://x.y) http://x.y", r"\[a\](http\://x.y) http\://x.y"),
        ("# heading", r"\# heading"),
        ("-# small", r"\-# small"),
        ("> quote", r"\> quote"),
        ("1. list", r"1\. list"),
        ("1 cat, 2.5 dogs - fine", "1 cat, 2.5 dogs - fine"),
        ("one\n\n# two\r\nthree\ttabs\x07", "one # two three tabs"),
        ("🦊🦊", "🦊🦊"),
        ("חתול cat", "\u2068חתול cat\u2069"),
        ("\u202eevil\u2069 cat", "evil cat"),
    ],
)
def test_a_prompt_is_shown_as_it_was_typed(typed: str, shown: str) -> None:
    assert quoted(typed, 600) == shown


def test_a_long_prompt_ends_in_an_ellipsis_between_words_and_never_inside_an_emoji() -> None:
    assert quoted("a cat on the far side of the moon", 20) == "a cat on the far…"
    family = "👩‍👩‍👧"
    assert quoted(family * 4, 12) == family * 2 + "…"
    assert quoted("e\u0301" * 10, 6) == "e\u0301" * 2 + "…"
    assert len(quoted("\u200d" * 500, 300)) <= 300


def test_a_failure_keeps_its_code_and_nothing_else_of_markdown() -> None:
    error = "The service said **no** to <@1>. Use `/show 3k9x2f`."
    text = words(card_of(a_view((State.FAILED, {"error": error, "cost_actual": 0}))))
    assert r"The service said \*\*no\*\* to \<\@1>. Use `/show 3k9x2f`." in text


@pytest.mark.parametrize(
    ("micro_usd", "shown"),
    [
        (60_000, "$0.06"),
        (24_000, "$0.024"),
        (0, "$0.00"),
        (1_500_000, "$1.50"),
        (10, "$0.00001"),
        (2_000_000_000, "$2,000.00"),
        (-50_000, "-$0.05"),
    ],
)
def test_money_has_as_many_decimals_as_it_needs(micro_usd: int, shown: str) -> None:
    assert money(micro_usd) == shown


# Texts.


def test_details_are_exact() -> None:
    view = a_view((State.DONE, CHARGED), prompt="x" * 4000)
    request = view.request.model_copy(
        update={"parameters": {"aspect_ratio": "16:9", "raw": True}, "inputs": {"image_prompt": "cd" * 32}}
    )
    text = request_details(replace(view, request=request))
    for exact in ("`flux-pro-1.1-ultra` at bfl", "`aspect_ratio=16:9`", "`raw=True`", "`image_prompt` cdcdcdcdcdcd…"):
        assert exact in text
    for exact in ("seed `42`", "2752 × 1536", "SHA-256 `000000000000…`", "estimated $0.06, charged $0.06", "12.0 s"):
        assert exact in text


def test_settings_are_told_in_words() -> None:
    community = Community(
        moderator_role_id=7, review_channel_id=8, daily_budget=5_000_000, allowed_models=("flux-pro",)
    )
    text = community_text(community, spent=1_200_000)
    for part in ("<@&7>", "<#8>", "$5.00, of which $1.20 is spent", r"FLUX.1 \[pro\]", "never"):
        assert part in text
    assert "administrators only" in community_text(Community())
    assert "**Pictures:** 2" in defaults_text(Defaults(count=2))
    assert "**Spoiler:** no" in defaults_text(Defaults(spoiler=False))
    assert "`/imagine`" in history_text([])
