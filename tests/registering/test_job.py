"""An image becomes IP on Story: what is approved is what is pinned, minted and read back, once."""

import contextlib
import hashlib
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bot.assembly.publishing import reading_registrar
from bot.errors import Refused
from bot.http import client as http
from bot.story.licences import Licence, LicenceKey
from bot.story.metadata import Content, Creator
from bot.workflows.registering.types import UNDO, Picture, Terms
from bot.workflows.registering.upkeep import ReadinessCheck
from standins.base.faults import Fault, html
from standins.chain.accounts import BOT
from storage.database import change
from storage.registering import pins
from storage.registering.transitions import RegistrationState
from storage.reviewing import audit
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, job_of, text_of
from tests.scenes.registering import (
    WALLET,
    approve,
    approve_registration,
    draft_registration,
    load_registration,
    mia,
    origin,
    read_cards,
    submit,
    submit_registration,
)


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild whose bot registers."""
    return await make_community(story={})


async def test_an_approved_image_is_pinned_minted_registered_and_read_back(community: Community) -> None:
    registration_id = await submit_registration(community)
    await approve_registration(community, registration_id)

    view = await read_cards(community, registration_id)
    assert view.state is RegistrationState.CONFIRMED, view.registration.error
    assert view.outcome
    assert view.outcome.proven, view.outcome
    chain = community.services.chain
    assert chain
    assert view.registration.ip_id


async def test_the_metadata_on_ipfs_are_those_whose_hash_is_on_the_chain(community: Community) -> None:
    registration_id = await submit_registration(community, description="Seen from the sea")
    await approve_registration(community, registration_id)

    registration = await load_registration(community, registration_id)
    assert registration.ip_metadata
    content = await community.app.services.kit.files.read(registration.ip_metadata)
    metadata = json.loads(content)
    assert metadata["title"] == "A lighthouse"
    assert metadata["imageHash"] == metadata["mediaHash"] == f"0x{registration.sha256}"
    assert metadata["image"].endswith(f"/ipfs/{registration.image_cid}")
    assert "prompt" not in metadata["generation"]
    pinata = community.services.pinata
    assert pinata
    kept = {hashlib.sha256(pinata.archive.content(file.content)).hexdigest() for file in pinata.files}
    assert kept == {registration.sha256, registration.ip_metadata, registration.nft_metadata}


async def test_nothing_is_pinned_while_an_approval_can_be_taken_back(community: Community) -> None:
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    await community.pass_time(UNDO - 2)
    assert community.services.pinata
    assert not community.services.pinata.files

    await community.app.services.reviewing.decisions.undo(registration_id, mia(community))
    await community.pass_time(UNDO)
    assert (await load_registration(community, registration_id)).state is RegistrationState.SUBMITTED
    assert not community.services.pinata.files


@pytest.mark.parametrize("step", [-86_400, -3600, 3600, 86_400])
async def test_the_time_to_undo_is_as_long_as_it_was_said_whatever_the_clock_is_set_to(
    community: Community, step: float
) -> None:
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    await community.pass_time(5)
    community.clock.step(step)
    await community.pass_time(UNDO - 10)
    assert community.services.pinata
    assert not community.services.pinata.files
    await community.pass_time(30)
    assert (await load_registration(community, registration_id)).state is RegistrationState.CONFIRMED


async def test_an_approval_cannot_be_taken_back_once_pinning_has_begun(community: Community) -> None:
    registration_id = await submit_registration(community)
    await approve_registration(community, registration_id)
    with pytest.raises(Refused):
        await community.app.services.reviewing.decisions.undo(registration_id, mia(community))


async def test_what_is_withdrawn_before_it_is_signed_is_unpinned(community: Community) -> None:
    registration_id = await submit_registration(community)
    chain = community.services.chain
    assert chain
    await approve(community, registration_id)
    await community.pass_time(UNDO - 1)
    await community.app.services.registering.registrations.withdraw(registration_id, by=community.ada.id)
    await community.pass_time(UNDO + 5)

    assert (await load_registration(community, registration_id)).state is RegistrationState.WITHDRAWN
    async with community.app.database.read() as db:
        assert not await pins.of_registration(db, registration_id)
    assert community.services.pinata
    assert not community.services.pinata.files


async def test_what_is_registered_cannot_be_withdrawn(community: Community) -> None:
    registration_id = await submit_registration(community)
    await approve_registration(community, registration_id)
    with pytest.raises(Refused, match="cannot be taken back"):
        await community.app.services.registering.registrations.withdraw(registration_id, by=community.ada.id)


async def test_the_same_bytes_are_not_registered_twice(community: Community) -> None:
    registration_id = await submit_registration(community)
    image_id = (await load_registration(community, registration_id)).image_id
    with pytest.raises(Refused, match="being registered already"):
        await draft_registration(community, image_id)
    await approve_registration(community, registration_id)
    with pytest.raises(Refused, match="registered already"):
        await draft_registration(community, image_id)


async def test_the_owner_cannot_approve_their_own_image_though_they_moderate(community: Community) -> None:
    registration_id = await submit_registration(community)
    ada = mia(community, user_id=community.ada.id)
    with pytest.raises(Refused, match="own image"):
        await approve(community, registration_id, ada)
    olga = mia(community, user_id=community.ada.id, administrator=True)
    with pytest.raises(Refused, match="own image"):
        await approve(community, registration_id, olga)


async def test_the_admins_override_lets_the_owner_approve_and_is_written_down(community: Community) -> None:
    registration_id = await submit_registration(community)
    await community.decide(own_decisions=True)
    await approve(community, registration_id, mia(community, user_id=community.ada.id))
    async with community.app.database.read() as db:
        entries = await audit.about(db, registration_id)
    assert entries[-1].content["override"] is True
    assert (await read_cards(community, registration_id)).overridden


async def test_a_denied_image_can_be_submitted_anew_and_shows_the_denial(community: Community) -> None:
    registration_id = await submit_registration(community)
    registration = await load_registration(community, registration_id)
    assert registration.digest
    decisions, service = community.app.services.reviewing.decisions, community.app.services.registering.registrations
    await decisions.decide(
        registration_id, mia(community), approve=False, digest=registration.digest, reason="Too dark"
    )
    await community.pass_time(5)
    assert (await load_registration(community, registration_id)).state is RegistrationState.DENIED

    draft = await service.again(
        registration_id, by=community.ada.id, interaction_id=10**18 + 1, channel_id=community.studio.id
    )
    assert draft.terms
    again = draft.registration.id
    await service.submit(again, by=community.ada.id, digest=draft.terms.digest, channel_id=community.studio.id)
    await community.pass_time(2)
    assert [review.reason for review in (await read_cards(community, again)).denials] == ["Too dark"]


async def test_a_draft_that_has_changed_is_not_submitted_as_it_was_shown(community: Community) -> None:
    registration_id = await draft_registration(community)
    service = community.app.services.registering.registrations
    shown = await service.draft(registration_id, by=community.ada.id)
    assert shown.terms
    await service.edit(registration_id, by=community.ada.id, title="Another title")
    with pytest.raises(Refused, match="has changed"):
        await service.submit(
            registration_id, by=community.ada.id, digest=shown.terms.digest, channel_id=community.studio.id
        )


async def test_the_card_is_one_message_from_submission_to_the_end(community: Community) -> None:
    registration_id = await submit_registration(community)
    cards = [card for card in community.cards if registration_id in text_of(card)]
    await approve_registration(community, registration_id)
    after = [card for card in community.cards if card.id == cards[0].id]
    assert len(after) == 1
    view = await read_cards(community, registration_id)
    assert view.job.message_id == cards[0].id


async def test_a_token_goes_to_whom_it_was_said(community: Community) -> None:
    registration_id = await submit_registration(community)
    await approve_registration(community, registration_id)
    view = await read_cards(community, registration_id)
    assert view.terms.recipient == WALLET
    assert view.outcome
    assert view.outcome.chain
    assert {check.name for check in view.outcome.chain.checks if not check.good} == set()


@pytest.mark.parametrize(
    "licence",
    [
        Licence(key=LicenceKey.NONE),
        Licence(key=LicenceKey.NON_COMMERCIAL),
        Licence(key=LicenceKey.COMMERCIAL_USE, minting_fee=2 * 10**18),
        Licence(key=LicenceKey.COMMERCIAL_REMIX, minting_fee=10**17, revenue_share=2.5),
        Licence(key=LicenceKey.CC_BY),
    ],
    ids=lambda licence: licence.key.value,
)
async def test_each_licence_is_on_the_chain_as_it_was_chosen(community: Community, licence: Licence) -> None:
    registration_id = await submit_registration(community, licence=licence)
    await approve_registration(community, registration_id)
    view = await read_cards(community, registration_id)
    assert view.outcome
    assert view.outcome.proven, view.outcome
    assert len(view.outcome.registered.terms_ids) == (licence.key is not LicenceKey.NONE)


async def vary_picture(community: Community) -> str:
    """A variation of the newest picture in the studio; its image's id."""
    await community.ada.click(community.cards[0], label="Vary")
    await community.pass_time(20)
    (drawn,) = [card for card in community.cards if "Vary" in buttons_of(card) and card.id != community.cards[0].id]
    return f"{job_of(drawn)}-1"


async def test_a_variation_of_a_registered_image_becomes_its_derivative(community: Community) -> None:
    first = await submit_registration(community)
    await approve_registration(community, first)
    parent = await load_registration(community, first)

    second = await submit_registration(community, await vary_picture(community), title="Another lighthouse")
    view = await read_cards(community, second)
    assert [each.ip_id for each in view.terms.parents] == [parent.ip_id]
    assert [each.ip_id for each in view.terms.content.parents] == [parent.ip_id]
    await approve_registration(community, second)
    view = await read_cards(community, second)
    assert view.outcome
    assert view.outcome.proven, view.outcome


async def test_a_variation_of_an_image_without_a_licence_is_registered_by_itself(community: Community) -> None:
    first = await submit_registration(community, licence=Licence(key=LicenceKey.NONE))
    await approve_registration(community, first)

    second = await draft_registration(community, await vary_picture(community), title="Another lighthouse")
    draft = await community.app.services.registering.registrations.draft(second, by=community.ada.id)
    assert draft.parent
    assert draft.parent_refusal
    assert draft.terms
    assert not draft.terms.parents


async def test_a_restart_in_the_undo_window_loses_neither_the_approval_nor_the_window(community: Community) -> None:
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    await community.restart()
    assert (await load_registration(community, registration_id)).state is RegistrationState.APPROVED
    await community.pass_time(UNDO + 12)
    assert (await load_registration(community, registration_id)).state is RegistrationState.CONFIRMED


async def test_nobody_but_the_owner_sees_edits_submits_or_withdraws(community: Community) -> None:
    registration_id = await draft_registration(community)
    service, ben = community.app.services.registering.registrations, community.ben.id
    for attempt in (
        service.draft(registration_id, by=ben),
        service.edit(registration_id, by=ben, title="Mine"),
        service.discard(registration_id, by=ben),
        service.submit(registration_id, by=ben, digest="0" * 64, channel_id=community.studio.id),
    ):
        with pytest.raises(Refused, match="no such draft of yours"):
            await attempt
    image_id = (await load_registration(community, registration_id)).image_id
    with pytest.raises(Refused, match="can register it"):
        await service.begin(origin(community, ben), image_id, name="Ben")


async def test_a_discarded_draft_leaves_no_row_and_no_file(community: Community) -> None:
    registration_id = await draft_registration(community)
    files = len(community.files)
    await community.app.services.registering.registrations.discard(registration_id, by=community.ada.id)
    assert await community.counted("registrations") == 0
    assert len(community.files) == files - 1


async def test_a_member_has_so_many_registrations_under_way_and_no_more(community: Community) -> None:
    await community.decide(member_registrations=1)
    await submit_registration(community)
    second = await draft_registration(community, await vary_picture(community), title="Another lighthouse")
    with pytest.raises(Refused, match="1 at once is the limit"):
        await submit(community, second)


async def test_without_settings_the_admin_is_told_what_is_missing(make_community: MakeCommunity) -> None:
    community = await make_community()
    card = await community.drawn()
    with pytest.raises(Refused, match=r"WALLET_PRIVATE_KEY, PINATA_JWT .* SPG_NFT_CONTRACT_ADDRESS"):
        await community.app.services.registering.registrations.begin(origin(community), f"{job_of(card)}-1", name="Ada")


async def test_a_deleted_picture_keeps_its_file_while_it_is_being_registered(community: Community) -> None:
    registration_id = await submit_registration(community)
    sha256 = (await load_registration(community, registration_id)).sha256
    await community.delete(community.cards[0])
    await community.pass_time(2)
    assert community.app.services.kit.files.path(sha256).exists()
    await approve_registration(community, registration_id)
    view = await read_cards(community, registration_id)
    assert view.outcome
    assert view.outcome.proven


async def test_the_audit_holds_every_step_and_verifies(community: Community, tmp_path: Path) -> None:
    registration_id = await submit_registration(community)
    await approve_registration(community, registration_id)
    async with community.app.database.read() as db:
        actions = [entry.action for entry in await audit.about(db, registration_id)]
    assert actions == [
        "registration submitted",
        "register approved",
        "registration begun",
        "registration pinned",
        "registration signed",
        "registration sent",
        "registration confirmed",
        "registration read back",
    ]
    with contextlib.closing(sqlite3.connect(tmp_path / "bot.db")) as database:
        assert audit.verify(database).faults == ()


async def test_the_admin_is_told_once_when_the_wallet_runs_dry(community: Community) -> None:
    alarms: list[str] = []

    async def alarm(sentence: str) -> None:
        alarms.append(sentence)

    chain = community.services.chain
    assert chain
    await chain.fund(BOT.address, 10**15)
    async with http.session() as session:
        registrar = reading_registrar(community.settings, session)
        check = ReadinessCheck(replace(community.app.services.kit, alarm=alarm), registrar=registrar)
        await check.run()
        await check.run()
    assert len(alarms) == 1
    assert BOT.address in alarms[0]


async def test_a_registration_whose_job_ended_by_a_bug_is_taken_up_again(community: Community) -> None:
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    async with community.app.database.write() as db:
        sql = "UPDATE jobs SET state = 'failed', ended_at = :now, lease_holder = NULL WHERE id = :id"
        await change(db, sql, {"id": registration_id, "now": community.clock.now()})
    await community.skip(1200)
    await community.pass_time(20)
    assert (await load_registration(community, registration_id)).state is RegistrationState.CONFIRMED


async def test_the_chain_is_asked_again_where_it_could_not_be_at_first(community: Community) -> None:
    chain = community.services.chain
    assert chain
    chain.faults.append(Fault("*", html(503), times=200))
    registration_id = await submit_registration(community)
    assert (await read_cards(community, registration_id)).dry_run is None
    chain.faults.clear()
    await community.pass_time(310)
    tried = (await read_cards(community, registration_id)).dry_run
    assert tried
    assert tried.good
    (card,) = [message for message in community.review.history() if registration_id in text_of(message)]
    assert "✅ **Tried on chain 1315:**" in text_of(card)


async def test_a_draft_that_nobody_comes_back_to_is_forgotten_with_its_file(community: Community) -> None:
    await draft_registration(community)
    files = len(community.files)
    await community.skip(31 * 86_400, step=86_400)
    assert await community.counted("registrations") == 0
    assert len(community.files) == files - 1


def test_what_an_approval_is_bound_to_stays_the_same_in_later_versions() -> None:
    """A field that is added with a default must not change the digest of what is approved already."""
    terms = Terms(
        network="aeneid",
        chain_id=1315,
        collection=WALLET,
        gateway="https://ipfs.io",
        recipient=WALLET,
        recipient_from="given",
        licence=Licence(key=LicenceKey.COMMERCIAL_USE, minting_fee=2 * 10**18),
        content=Content(
            registration_id="3k9x2f",
            title="A lighthouse",
            created_at=1_800_000_000.0,
            sha256="00" * 32,
            media_type="image/png",
            creators=(Creator(name="Ada", address=WALLET, share=100),),
        ),
        picture=Picture(prompt="a lighthouse", model="FLUX", media_type="image/png", width=64, height=64, bytes=1000),
        sha256="00" * 32,
    )
    assert terms.digest == "82da34fabc29fe6a4a8e7bc64543a471712679f5407c6b8f62977795b924bc19"
    assert Terms.model_validate_json(terms.model_dump_json()).digest == terms.digest
    assert terms.model_copy(update={"recipient": BOT.address}).digest != terms.digest
