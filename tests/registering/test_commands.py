"""Registering, as a member does it: from the button under a picture to the IP asset."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import discord
import pytest
import simcord

from bot.cards.base.layout import compose, row
from bot.discord.buttons import button
from standins.base.faults import Fault, answers
from standins.chain.accounts import ADA, BEN, OLGA
from storage.registering import registrations
from storage.registering.registrations import Registration
from storage.registering.transitions import RegistrationState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, job_of, private, text_of

COMMUNITY_WALLET = OLGA.address


@pytest.fixture
async def owls(make_community: MakeCommunity) -> Community:
    """A community that can register images, with a moderator and a wallet."""
    community = await make_community(story={})
    await community.decide(
        moderator_role_id=community.role.id, review_channel_id=community.review.id, wallet=COMMUNITY_WALLET
    )
    return community


def read_card(result: simcord.InteractionResult) -> str:
    """All that a private card says."""
    assert result.response
    assert result.response.ephemeral
    return "\n".join(_texts(result.response.components))


def _texts(components: Sequence[Mapping[str, Any]]) -> list[str]:
    texts: list[str] = []
    for each in components:
        texts += [each["content"]] if isinstance(each.get("content"), str) else []
        texts += _texts(each.get("components", []))
    return texts


async def press(
    community: Community, card: Any, label: str, member: simcord.MemberActor | None = None
) -> simcord.InteractionResult:
    result = await (member or community.ada).click(card, label=label)
    await community.clock.settle()
    return result


async def fill(
    community: Community, draft: simcord.InteractionResult, label: str, values: dict[str, Any]
) -> simcord.InteractionResult:
    """Open a form of a draft and send it."""
    form = await press(community, draft.response, label)
    return await community.ada.submit_modal(form, values)


async def begin_draft(community: Community, **options: Any) -> simcord.InteractionResult:
    """The draft of a picture that was drawn just now."""
    return await press(community, await community.drawn(**options), "Register")


async def write_draft(community: Community, title: str = "A lighthouse", **options: Any) -> simcord.InteractionResult:
    draft = await begin_draft(community, **options)
    await fill(community, draft, "Edit text", {"title": title, "description": "At night", "tags": "sea, night"})
    return draft


async def submit_draft(community: Community, **options: Any) -> discord.Message:
    """The card of a registration that waits for a moderator."""
    draft = await write_draft(community, **options)
    await press(community, draft.response, "Submit")
    return community.cards[-1]


def question(community: Community) -> discord.Message:
    return community.review.history()[-1]


async def press_decision(community: Community, label: str, values: dict[str, Any] | None = None) -> None:
    """The moderator presses a button of the newest question."""
    result = await press(community, question(community), label, community.mia)
    if values is not None:
        await community.mia.submit_modal(result, values)
        await community.clock.settle()


async def registered(community: Community, **options: Any) -> discord.Message:
    card = await submit_draft(community, **options)
    await press_decision(community, "Approve")
    await community.pass_time(61)
    await community.pass_time(30)
    return await again(community, card)


async def again(community: Community, card: discord.Message) -> discord.Message:
    """The same message as it is now."""
    return next(message for message in community.cards if message.id == card.id)


async def row_of(community: Community, card: discord.Message) -> Registration:
    registration_id = buttons_of(card)["Details"].split(":")[3]
    async with community.app.database.read() as db:
        registration = await registrations.find(db, registration_id)
    assert registration
    return registration


async def test_a_member_registers_a_picture_and_follows_it_to_the_ip_asset(owls: Community) -> None:
    draft = await begin_draft(owls)
    assert "no title yet" in read_card(draft)
    assert "A title is missing" in read_card(draft)
    await fill(owls, draft, "Edit text", {"title": "A lighthouse", "description": "At night", "tags": "sea, night"})
    submit = await press(owls, draft.response, "Submit")
    assert "A lighthouse: submitted" in read_card(submit)
    card = owls.cards[-1]
    assert "waiting for a moderator" in text_of(card)
    assert card.attachments, "the preview"
    for part in ("May this be registered as IP", "A lighthouse", "At night", "sea, night", "Tried on chain 1315"):
        assert part in text_of(question(owls))

    await press_decision(owls, "Claim")
    assert f"**Claimed** by <@{owls.mia.id}>" in text_of(await again(owls, card))
    await press_decision(owls, "Approve")
    assert "can be undone until" in text_of(await again(owls, card))
    assert "Undo" in buttons_of(question(owls))
    await owls.pass_time(61)
    await owls.pass_time(30)

    card = await again(owls, card)
    row = await row_of(owls, card)
    assert row.state is RegistrationState.CONFIRMED
    for part in ("### A lighthouse: registered", f"[{row.ip_id}]", f"/tx/{row.tx_hash}", f"/ipfs/{row.image_cid}"):
        assert part in text_of(card)
    assert "✅ **Read back and verified:**" in text_of(card)
    assert "Undo" not in buttons_of(question(owls))
    news = owls.cards[-1]
    assert text_of(news).startswith(f"<@{owls.ada.id}>: **A lighthouse** is registered as [{row.ip_id}]")
    assert owls.ada.id in [each.id for each in news.mentions]
    details = private(await press(owls, card, "Details"))
    assert row.sha256 in details
    assert "✅" in details


async def test_what_becomes_public_is_exactly_what_the_draft_has_shown(owls: Community) -> None:
    draft = await write_draft(owls, prompt="a secret lighthouse")
    planned = await press(owls, draft.response, "Exact JSON")
    before = await files_of(planned)
    assert "a secret lighthouse" not in json.dumps(before), "the prompt stays private unless its box is ticked"
    await press(owls, draft.response, "Submit")
    card = owls.cards[-1]
    await press_decision(owls, "Approve")
    await owls.pass_time(61)
    await owls.pass_time(30)
    row = await row_of(owls, card)
    assert row.ip_metadata
    pinned = await owls.app.services.kit.files.read(row.ip_metadata)
    assert hashlib.sha256(pinned).hexdigest() == row.ip_metadata
    after = json.loads(pinned)
    assert after["image"].endswith(f"/ipfs/{row.image_cid}")
    links = {"image", "mediaUrl"}
    same = {name: value for name, value in after.items() if name not in links}
    assert same == {name: value for name, value in before["ip-metadata.json"].items() if name not in links}
    exact = await files_of(await press(owls, await again(owls, card), "Exact JSON"))
    assert exact["ip-metadata.json"] == after


async def files_of(result: simcord.InteractionResult) -> dict[str, Any]:
    """The JSON files of a private answer."""
    assert result.response
    assert result.response.ephemeral
    return {each.filename: json.loads(await each.read()) for each in result.response.attachments}


async def test_of_several_pictures_a_form_asks_which(owls: Community) -> None:
    card = await owls.drawn(count=3)
    job = job_of(card)
    form = await press(owls, card, "Register")
    assert form.modal
    draft = await owls.ada.submit_modal(form, {"picture": [f"{job}-2"]})
    assert f"`{job}-2`" in read_card(draft)
    for pointed, several in ((f"{job}-3", False), (job, True), (card.jump_url, True)):
        result = await owls.ada.slash(owls.studio, "register", image=pointed)
        assert bool(result.modal) == several, pointed
    form = await owls.ada.context_menu(owls.studio, "Register this picture", card)
    draft = await owls.ada.submit_modal(form, {"picture": [f"{job}-1"]})
    assert f"`{job}-1`" in read_card(draft)


async def test_one_picture_is_taken_at_once_from_the_menu_and_the_command(owls: Community) -> None:
    card = await owls.drawn(prompt="a lighthouse at night")
    await owls.drawn(owls.ben, prompt="a cat")
    image_id = f"{job_of(card)}-1"
    for result in (
        await owls.ada.context_menu(owls.studio, "Register this picture", card),
        await owls.ada.slash(owls.studio, "register", image=image_id),
        await owls.ada.slash(owls.studio, "register", image=card.jump_url),
    ):
        assert f"`{image_id}`" in read_card(result)
    choices = await owls.ada.autocomplete(owls.studio, "register", "image", "night")
    assert [choice["value"] for choice in choices] == [image_id], "one's own alone"
    assert "a lighthouse at night" in choices[0]["name"]
    assert await owls.ada.autocomplete(owls.studio, "register", "image", "cat") == []


async def test_a_draft_is_taken_up_again_and_can_be_discarded(owls: Community) -> None:
    draft = await write_draft(owls)
    card = owls.card
    later = await press(owls, card, "Register")
    assert "A lighthouse: a registration to submit" in read_card(later)
    question = await press(owls, draft.response, "Discard")
    assert "Discard A lighthouse?" in read_card(question)
    assert "Gone for good" in read_card(question)
    back = await press(owls, question.response, "Back to the draft")
    assert "A lighthouse: a registration to submit" in read_card(back)
    question = await press(owls, back.response, "Discard")
    gone = await press(owls, question.response, "Discard for good")
    assert "Nothing was submitted" in read_card(gone)
    assert "There is no such draft of yours" in (await press(owls, later.response, "Submit")).followups[-1].content
    assert await owls.counted("registrations") == 0
    assert owls.cards == [card]


async def test_only_who_had_a_picture_drawn_can_register_it(owls: Community) -> None:
    card = await owls.drawn()
    refusal = f"Only <@{owls.ada.id}>, who had this picture drawn, can register it."
    assert private(await press(owls, card, "Register", owls.ben)) == refusal
    assert private(await press(owls, card, "Register", owls.mia)) == refusal, "also no moderator"
    assert await owls.counted("registrations") == 0


async def test_where_it_is_not_set_up_the_press_says_what_the_admin_has_to_set(community: Community) -> None:
    card = await community.drawn()
    for result in (
        await press(community, card, "Register"),
        await community.ada.slash(community.studio, "register", image=job_of(card)),
        await community.ada.context_menu(community.studio, "Register this picture", card),
    ):
        assert "WALLET_PRIVATE_KEY" in private(result)
    assert await community.counted("registrations") == 0
    assert community.env.errors


async def test_where_the_bot_could_not_post_the_card_nobody_writes_in_vain(owls: Community) -> None:
    card = await owls.drawn()
    studio = owls.app.client.get_channel(owls.studio.id)
    assert isinstance(studio, discord.TextChannel)
    await studio.set_permissions(studio.guild.default_role, attach_files=False)
    assert "“Attach Files”" in private(await press(owls, card, "Register"))
    assert await owls.counted("registrations") == 0


async def test_licence_creators_and_recipient_are_said_in_forms_and_shown_on_the_draft(owls: Community) -> None:
    draft = await write_draft(owls)
    await fill(owls, draft, "Licence", {"licence": ["commercial_remix"], "fee": "0.05", "share": "5"})
    people = f"Ada L., {ADA.address}, 60%\nBen | {BEN.address} | 40 | drew the sketch | https://x.com/ben"
    await fill(owls, draft, "Creators", {"creators": people})
    await fill(owls, draft, "Recipient", {"recipient": BEN.address.lower()})
    text = read_card(await press(owls, owls.card, "Register"))
    for part in (
        "0.05 IP",
        "5 % of what their remixes earn",
        "- Ada L., 60 %",
        "- Ben, 40 %",
        "1 link: drew the sketch",
        f"[{BEN.address}]",
        "as you have said",
        "the creators' names, wallets, shares, descriptions and links",
    ):
        assert part in text, part


async def test_what_is_typed_wrong_is_named_and_not_lost(owls: Community) -> None:
    draft = await write_draft(owls)
    wrong = f"Ada, {ADA.address}, 60\nBen, {BEN.address}, 50"
    answer = await fill(owls, draft, "Creators", {"creators": wrong})
    refusal = answer.followups[-1].content
    assert "The creators' shares are 110 % together" in refusal
    assert "Nothing was changed; the form still has what you typed." in refusal
    form = await press(owls, draft.response, "Creators")
    assert form.modal
    assert wrong in str(form.modal["components"]).replace("\\n", "\n")
    await owls.ada.submit_modal(form, {"creators": wrong.replace(", 50", ", 40")})
    assert "- Ben, 40 %" in read_card(await press(owls, owls.card, "Register"))
    answer = await fill(owls, draft, "Licence", {"licence": ["cc_by"], "fee": "1", "share": ""})
    assert "has no minting fee" in answer.followups[-1].content
    answer = await fill(owls, draft, "Recipient", {"recipient": "0x12"})
    assert "A wallet address is 0x and then 40 digits" in answer.followups[-1].content


async def test_only_what_the_card_shows_is_submitted(owls: Community) -> None:
    stale = await write_draft(owls)
    fresh = await press(owls, owls.card, "Register")
    await fill(owls, fresh, "Edit text", {"title": "Another title"})
    refused = await press(owls, stale.response, "Submit")
    assert "has changed since" in refused.followups[-1].content
    assert len(owls.cards) == 1
    assert "Another title" in read_card(refused), "it shows what it is now"
    await press(owls, stale.response, "Submit")
    assert "Another title" in text_of(owls.cards[-1])
    late = await press(owls, fresh.response, "Submit")
    assert "This is submitted already" in late.followups[-1].content
    assert len(owls.cards) == 2


async def test_a_denial_is_told_with_its_reason_and_the_same_words_can_be_submitted_again(owls: Community) -> None:
    card = await submit_draft(owls)
    await press_decision(owls, "Deny", {"reason": "It shows a brand."})
    await owls.clock.settle()
    card = await again(owls, card)
    assert "It shows a brand." in text_of(card)
    news = owls.cards[-1]
    assert text_of(news).startswith(f"<@{owls.ada.id}>: <@{owls.mia.id}> has denied")
    refused = private(await press(owls, news, "Edit and submit again", owls.ben))
    assert f"Only <@{owls.ada.id}>" in refused
    draft = await press(owls, news, "Edit and submit again")
    assert "A lighthouse: a registration to submit" in read_card(draft)
    assert "At night" in read_card(draft)
    await fill(owls, draft, "Edit text", {"title": "A plain lighthouse"})
    await press(owls, draft.response, "Submit")
    assert "A plain lighthouse" in text_of(owls.cards[-1])
    assert "Denied before" in text_of(question(owls))
    assert "It shows a brand." in text_of(question(owls))


async def test_a_question_reaches_the_member_and_the_answer_the_moderators(owls: Community) -> None:
    card = await submit_draft(owls)
    await press_decision(owls, "Ask", {"question": "Whose lighthouse is it?"})
    assert "Whose lighthouse is it?" in text_of(await again(owls, card))
    news = owls.cards[-1]
    assert text_of(news).startswith(f"<@{owls.ada.id}>: <@{owls.mia.id}> asks about")
    assert "can answer" in private(await press(owls, news, "Answer", owls.ben))
    form = await press(owls, news, "Answer")
    assert "Whose lighthouse is it?" in str(form.modal)
    answered = await owls.ada.submit_modal(form, {"answer": "My own."})
    assert private(answered) == "Your answer is with the moderators."
    await owls.clock.settle()
    assert "My own." in text_of(question(owls))
    assert "Answer" not in buttons_of(await again(owls, card))
    assert "answered already" in private(await press(owls, news, "Answer"))


async def test_it_can_be_withdrawn_by_its_owner_until_it_is_signed(owls: Community) -> None:
    card = await submit_draft(owls)
    refused = await press(owls, card, "Withdraw", owls.ben)
    assert f"Only <@{owls.ada.id}>" in refused.followups[-1].content
    await press_decision(owls, "Approve")
    await press(owls, card, "Withdraw")
    card = await again(owls, card)
    assert "### A lighthouse: withdrawn" in text_of(card)
    assert "Nothing was minted, and nothing charged." in text_of(card)
    await owls.pass_time(120)
    assert (await row_of(owls, card)).state is RegistrationState.WITHDRAWN
    assert owls.services.pinata
    assert "Edit and submit again" in buttons_of(await again(owls, card))


async def test_what_is_registered_cannot_be_withdrawn_by_an_old_button(owls: Community) -> None:
    card = await submit_draft(owls)
    withdrawal = buttons_of(card)["Withdraw"]
    await press_decision(owls, "Approve")
    await owls.pass_time(61)
    await owls.pass_time(30)
    view = cards_with(withdrawal)
    old = await owls.app.client.get_partial_messageable(owls.studio.id).send(view=view)
    refused = await owls.ada.click(old, custom_id=withdrawal)
    assert "cannot be taken back" in refused.followups[-1].content


def cards_with(custom_id: str) -> discord.ui.LayoutView:
    """A message as an older bot has left it."""
    _, noun, verb, subject = custom_id.split(":")
    return compose(row([button(f"{noun}:{verb}", subject, "Old")])).view


async def test_a_failure_is_told_and_tried_again_under_the_same_approval(owls: Community) -> None:
    pinata = owls.services.pinata
    assert pinata
    card = await submit_draft(owls)
    pinata.faults.append(Fault("upload", answers(400), times=20))
    await press_decision(owls, "Approve")
    await owls.pass_time(61)
    await owls.pass_time(30)
    card = await again(owls, card)
    assert "**It failed:**" in text_of(card)
    assert "nobody paid anything" in text_of(card)
    news = owls.cards[-1]
    assert "could not be registered" in text_of(news)
    assert "Try again" in buttons_of(news)
    refused = await press(owls, card, "Try again", owls.ben)
    assert "Only its owner and the moderators" in refused.followups[-1].content
    pinata.faults.clear()
    await press(owls, news, "Try again")
    await owls.pass_time(61)
    await owls.pass_time(30)
    card = await again(owls, card)
    assert "✅ **Read back and verified:**" in text_of(card)


async def test_a_picture_is_registered_once(owls: Community) -> None:
    card = await registered(owls)
    row = await row_of(owls, card)
    picture = owls.cards[0]
    assert "registered already: http" in private(await press(owls, picture, "Register"))
    assert str(row.ip_id) in private(await press(owls, picture, "Register"))


async def test_what_was_made_from_a_registered_picture_becomes_its_derivative(owls: Community) -> None:
    parent = await row_of(owls, await registered(owls))
    await owls.ada.slash(owls.studio, "edit", instruction="make it night", of=parent.image_id)
    await owls.pass_time(20)
    draft = await press(owls, owls.cards[-1], "Register")
    assert "**Derivative** of [0x" in read_card(draft)
    off = await press(owls, draft.response, "No derivative")
    assert "you have turned that off" in read_card(off)
    on = await press(owls, draft.response, "Derivative")
    assert "**Derivative** of [0x" in read_card(on)
    await fill(owls, draft, "Edit text", {"title": "The same at night"})
    await press(owls, draft.response, "Submit")
    card = owls.cards[-1]
    await press_decision(owls, "Approve")
    await owls.pass_time(61)
    await owls.pass_time(30)
    card = await again(owls, card)
    assert "✅ **Read back and verified:**" in text_of(card)
    assert f"A derivative of [{str(parent.ip_id)[:8]}" in text_of(card)


async def test_a_registration_is_shown_again_by_its_id_and_moves_while_it_is_under_way(owls: Community) -> None:
    card = await submit_draft(owls)
    row = await row_of(owls, card)
    refused = await owls.ben.slash(owls.studio, "show", job=row.id)
    assert "can move it here" in private(refused)
    await owls.ada.slash(owls.studio, "show", job=row.id)
    await owls.clock.settle()
    moved = owls.cards[-1]
    assert moved.id != card.id
    assert "Withdraw" in buttons_of(moved)
    assert card.id not in [each.id for each in owls.cards]
    details = private(await owls.ben.context_menu(owls.studio, "Show details", moved))
    assert row.sha256 in details
    await press(owls, moved, "Withdraw")
    assert "withdrawn" in text_of(owls.cards[-1])
    assert owls.env.errors


async def test_a_picture_of_an_age_restricted_channel_is_shown_in_no_other(owls: Community) -> None:
    studio = owls.app.client.get_channel(owls.studio.id)
    assert isinstance(studio, discord.TextChannel)
    studio.nsfw = True  # SimCord's channels have no such switch
    await submit_draft(owls)
    assert owls.review.history() == []
    asked = owls.cards[-1]
    assert "May this be registered as IP" in text_of(asked)
    await owls.mia.click(asked, label="Approve")
    await owls.pass_time(61)
    await owls.pass_time(30)
    assert "registered" in text_of(owls.cards[1])


async def test_a_linked_wallet_gets_what_its_member_registers(owls: Community) -> None:
    from eth_account import Account  # noqa: PLC0415
    from eth_account.messages import encode_defunct  # noqa: PLC0415

    asked = await owls.ada.slash(owls.studio, "wallet link", address=ADA.address)
    message = read_card(asked).split("```\n")[1].removesuffix("\n")
    signed = Account.from_key(ADA.key).sign_message(encode_defunct(text=message)).signature.hex()
    form = await press(owls, asked.response, "I have signed it")
    await owls.ada.submit_modal(form, {"signature": f"0x{signed.removeprefix('0x')}"})
    draft = await write_draft(owls)
    await fill(owls, draft, "Creators", {"creators": "Ada Lovelace, me, 100"})
    again_ = await press(owls, owls.card, "Register")
    assert f"[{ADA.address}]" in read_card(again_)
    assert "your linked wallet" in read_card(again_)
