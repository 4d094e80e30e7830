"""Each lock before what cannot be taken back, tried by itself: whoever takes one out has a test here that fails."""

from collections.abc import Awaitable, Callable

import pytest

from bot.errors import Refused
from bot.workflows.registering.types import UNDO, Terms
from storage.database import change
from storage.registering import registrations
from storage.registering.transitions import RegistrationState as S
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community
from tests.scenes.registering import (
    approve,
    approve_registration,
    draft_registration,
    load_registration,
    mia,
    origin,
    submit_registration,
)
from tests.scenes.registry import pinata_of
from tests.scenes.workbench import Bench

DIGEST = "0123456789abcdef" * 4
OTHER_GUILD = 4242


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild whose bot registers."""
    return await make_community(story={})


# The digest of a decision.


async def ask(bench: Bench, **different: object) -> None:
    """A question that is open from 0 to 100."""
    columns: dict[str, object] = {
        "id": "q",
        "kind": "register",
        "state": ReviewState.OPEN,
        "guild_id": 1,
        "channel_id": 2,
        "message_id": None,
        "requested_by": 3,
        "subject": "q",
        "digest": DIGEST,
        "created_at": 0.0,
        "expires_at": 100.0,
    }
    async with bench.database.write() as db:
        await reviews.add(db, Review(**columns | different))  # pyright: ignore[reportArgumentType]


async def decide(bench: Bench, *, digest: str = DIGEST, by: int = 4, now: float = 50.0) -> Review | None:
    async with bench.database.write() as db:
        return await reviews.decide(db, "q", state=ReviewState.APPROVED, digest=digest, by=by, reason=None, now=now)


async def test_the_database_takes_no_decision_on_something_else_than_was_shown(bench: Bench) -> None:
    await ask(bench)
    assert await decide(bench, digest=DIGEST[:-1] + "0") is None
    assert await decide(bench, digest=DIGEST[:12]) is None
    decided = await decide(bench)
    assert decided
    assert decided.state is ReviewState.APPROVED


async def test_the_database_takes_no_decision_that_is_late_second_or_another_moderators(bench: Bench) -> None:
    await ask(bench)
    assert await decide(bench, now=101.0) is None
    async with bench.database.write() as db:
        assert await reviews.claim(db, "q", by=9, now=10.0, until=60.0)
    assert await decide(bench) is None
    assert await decide(bench, by=9)
    assert await decide(bench, by=9) is None


@pytest.mark.parametrize("digest", ["", "0123456", "f" * 64], ids=["none", "seven characters", "another"])
async def test_a_press_decides_on_what_its_card_showed_and_nothing_else(community: Community, digest: str) -> None:
    registration_id = await submit_registration(community)
    registration = await load_registration(community, registration_id)
    assert registration.digest
    shown = registration.digest[: len(digest)] if len(digest) < 8 else digest
    with pytest.raises(Refused, match="has changed since"):
        await community.app.services.reviewing.decisions.decide(
            registration_id, mia(community), approve=True, digest=shown
        )
    assert (await load_registration(community, registration_id)).state is S.SUBMITTED


# The digests before pinning.


async def change_terms(community: Community, registration_id: str) -> None:
    """Another title, in what the registration's job reads."""
    registration = await load_registration(community, registration_id)
    terms = Terms.model_validate_json(registration.terms or "")
    changed = terms.model_copy(update={"content": terms.content.model_copy(update={"title": "Another title"})})
    async with community.app.database.write() as db:
        sentence = "UPDATE registrations SET terms = :terms WHERE id = :id"
        await change(db, sentence, {"terms": changed.model_dump_json(), "id": registration_id})


async def change_row(community: Community, registration_id: str) -> None:
    async with community.app.database.write() as db:
        sentence = "UPDATE registrations SET digest = :digest WHERE id = :id"
        await change(db, sentence, {"digest": DIGEST, "id": registration_id})


async def change_question(community: Community, registration_id: str) -> None:
    async with community.app.database.write() as db:
        await change(
            db, "UPDATE reviews SET digest = :digest WHERE id = :id", {"digest": DIGEST, "id": registration_id}
        )


async def open_question(community: Community, registration_id: str) -> None:
    """Nobody has approved it, whatever the registration's row says."""
    async with community.app.database.write() as db:
        await change(db, "UPDATE reviews SET state = 'denied' WHERE id = :id", {"id": registration_id})


@pytest.mark.parametrize("meddle", [change_terms, change_row, change_question, open_question])
async def test_nothing_is_pinned_that_is_not_what_was_approved(
    community: Community, meddle: Callable[[Community, str], Awaitable[None]]
) -> None:
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    await community.pass_time(UNDO / 2)
    await meddle(community, registration_id)
    await community.pass_time(UNDO)
    registration = await load_registration(community, registration_id)
    assert registration.state is S.FAILED
    assert registration.error == "What was approved is not what was submitted. Nothing was pinned or minted."
    assert not pinata_of(community).files


async def test_nothing_is_pinned_on_another_chain_or_for_another_collection_than_was_approved(
    community: Community,
) -> None:
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    community.services.collection = "0x" + "12" * 20
    await community.restart()
    await community.pass_time(UNDO + 5)
    registration = await load_registration(community, registration_id)
    assert registration.state is S.FAILED
    assert "in another collection by now than was approved" in (registration.error or "")
    assert not pinata_of(community).files


# Who may.


async def test_only_those_who_may_decide_do(community: Community) -> None:
    registration_id = await submit_registration(community)
    decisions = community.app.services.reviewing.decisions
    review = await decisions.find(registration_id)
    nobody = mia(community, user_id=community.ben.id, role_ids=frozenset())
    elsewhere = mia(community, guild_id=OTHER_GUILD, administrator=True)
    for who, why in ((nobody, "Only this server's moderators"), (elsewhere, "another server's")):
        with pytest.raises(Refused, match=why):
            await decisions.decide(registration_id, who, approve=True, digest=review.digest)
        with pytest.raises(Refused, match=why):
            await decisions.decide(registration_id, who, approve=False, digest=review.digest, reason="No.")
        with pytest.raises(Refused, match=why):
            await decisions.claim(registration_id, who)
        with pytest.raises(Refused, match=why):
            await decisions.ask(registration_id, who, "Why?")
    with pytest.raises(Refused, match="give a reason"):
        await decisions.decide(registration_id, mia(community), approve=False, digest=review.digest, reason=" ")
    assert (await load_registration(community, registration_id)).state is S.SUBMITTED

    await approve(community, registration_id)
    for who, why in ((nobody, "Only this server's moderators"), (elsewhere, "another server's")):
        with pytest.raises(Refused, match=why):
            await decisions.undo(registration_id, who)
    assert (await load_registration(community, registration_id)).state is S.APPROVED


async def test_only_its_owner_takes_a_registration_back_answers_and_begins_again(community: Community) -> None:
    registration_id = await submit_registration(community)
    service, ben = community.app.services.registering.registrations, community.ben.id
    await community.app.services.reviewing.decisions.ask(registration_id, mia(community), "Yours?")
    whose = f"Only <@{community.ada.id}>"
    with pytest.raises(Refused, match=whose):
        await service.withdraw(registration_id, by=ben)
    with pytest.raises(Refused, match=whose):
        await service.answer(registration_id, by=ben, text="Mine.")
    with pytest.raises(Refused, match=whose):
        await service.again(registration_id, by=ben, interaction_id=1, channel_id=community.studio.id)
    with pytest.raises(Refused, match="still under way"):
        await service.again(registration_id, by=community.ada.id, interaction_id=1, channel_id=community.studio.id)
    assert (await load_registration(community, registration_id)).state is S.SUBMITTED


async def test_only_its_owner_and_moderators_try_again_what_was_approved_and_has_failed(community: Community) -> None:
    service = community.app.services.registering.registrations
    registration_id = await submit_registration(community)
    with pytest.raises(Refused, match="being registered already"):
        await service.retry(registration_id, by=community.ada.id, moderator=True)
    pinata_of(community).quirks.private = "told"
    await approve_registration(community, registration_id)
    assert (await load_registration(community, registration_id)).state is S.FAILED
    with pytest.raises(Refused, match="Only its owner and the moderators"):
        await service.retry(registration_id, by=community.ben.id, moderator=False)
    async with community.app.database.write() as db:
        await registrations.update(db, registration_id, now=0.0, approval_id=None)
    with pytest.raises(Refused, match="Only a registration that has failed"):
        await service.retry(registration_id, by=community.ada.id, moderator=False)
    assert (await load_registration(community, registration_id)).state is S.FAILED


async def test_a_picture_is_registered_by_its_owner_where_it_was_drawn(community: Community) -> None:
    registration_id = await draft_registration(community)
    service, image_id = community.app.services.registering.registrations, ""
    service = community.app.services.registering.registrations
    image_id = (await load_registration(community, registration_id)).image_id
    elsewhere = origin(community)
    with pytest.raises(Refused, match="not there any more"):
        await service.begin(
            type(elsewhere)(1, community.ada.id, OTHER_GUILD, community.studio.id, None, nsfw=False),
            image_id,
            name="Ada",
        )
    with pytest.raises(Refused, match="who had this picture drawn"):
        await service.begin(origin(community, community.ben.id), image_id, name="Ben")
    with pytest.raises(Refused, match="no such draft"):
        await service.details(registration_id, by=community.ada.id, guild_id=OTHER_GUILD)
    view = await service.draft(registration_id, by=community.ada.id)
    assert view.terms
    for digest in ("", view.terms.digest[:7], "f" * 64):
        with pytest.raises(Refused, match="has changed since"):
            await service.submit(registration_id, by=community.ada.id, digest=digest, channel_id=community.studio.id)
    assert (await load_registration(community, registration_id)).state is S.DRAFT
