"""`/wallet`: who can sign with a key has it linked, once, in time, and nobody else."""

import asyncio
import json
import re
from typing import Any

import pytest
import simcord
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from bot.errors import Refused
from bot.story.node.networks import AENEID
from bot.story.ownership import LIFETIME
from bot.workflows.registering.wallets import Wallets
from storage.base import drafts
from storage.database import Database
from storage.registering import wallets
from storage.registering.wallets import LinkedWallet
from storage.reviewing import audit
from storage.reviewing.audit import AuditEntry
from tests.scenes.clock import TurnedClock
from tests.scenes.community import Community, private
from tests.scenes.workbench import Bench

ADA, BEN, GUILD = 1001, 1002, 7
KEY: LocalAccount = Account.from_key("0x" + "11" * 32)
OTHER: LocalAccount = Account.from_key("0x" + "22" * 32)


@pytest.fixture
def database(bench: Bench) -> Database:
    return bench.database


@pytest.fixture
def clock(bench: Bench) -> TurnedClock:
    return bench.clock


@pytest.fixture
def linked(bench: Bench) -> Wallets:
    return Wallets(bench.kit(), network=AENEID)


def sign(message: str, account: LocalAccount = KEY) -> str:
    return "0x" + account.sign_message(encode_defunct(text=message)).signature.hex().removeprefix("0x")


async def prove(linked: Wallets, user_id: int = ADA, account: LocalAccount = KEY) -> str:
    challenge = await linked.challenge(user_id, account.address)
    signature = sign(challenge.message, account)
    await linked.prove(user_id, signature, guild_id=GUILD)
    return signature


async def load_audit(database: Database, user_id: int) -> list[AuditEntry]:
    async with database.read() as db:
        return await audit.about(db, f"wallet {user_id}")


async def address_of(database: Database, user_id: int) -> str | None:
    async with database.read() as db:
        wallet = await wallets.find(db, user_id)
    return wallet.address if wallet else None


async def test_who_signs_the_message_has_the_wallet_linked_with_its_proof(linked: Wallets, database: Database) -> None:
    challenge = await linked.challenge(ADA, KEY.address.lower())
    assert challenge.address == KEY.address, "in its checksum spelling"
    assert KEY.address in challenge.message
    assert "Chain ID: 1315" in challenge.message
    signature = sign(challenge.message)
    made = await linked.prove(ADA, f"  {signature}\n", guild_id=GUILD)
    assert made.wallet == LinkedWallet(ADA, KEY.address, challenge.message, signature, made.wallet.linked_at)
    assert (made.before, made.taken_from) == (None, None)
    assert await linked.of(ADA) == made.wallet
    (entry,) = await load_audit(database, ADA)
    assert (entry.action, entry.actor_id, entry.guild_id) == ("wallet linked", ADA, GUILD)
    assert KEY.address in entry.details


async def test_a_signature_is_good_once(linked: Wallets) -> None:
    signature = await prove(linked)
    with pytest.raises(Refused, match="used already"):
        await linked.prove(ADA, signature, guild_id=GUILD)
    await linked.unlink(ADA, guild_id=GUILD)
    with pytest.raises(Refused, match="used already"):
        await linked.prove(ADA, signature, guild_id=GUILD)


async def test_of_two_sendings_of_one_signature_one_links(linked: Wallets, database: Database) -> None:
    challenge = await linked.challenge(ADA, KEY.address)
    sendings = [linked.prove(ADA, sign(challenge.message), guild_id=GUILD) for _ in range(2)]
    results = await asyncio.gather(*sendings, return_exceptions=True)
    (refusal,) = [each for each in results if isinstance(each, Refused)]
    assert "used already" in str(refusal)
    assert [each.action for each in await load_audit(database, ADA)] == ["wallet linked"]


async def test_a_message_is_good_for_its_time_alone(linked: Wallets, clock: TurnedClock) -> None:
    challenge = await linked.challenge(ADA, KEY.address)
    await clock.turn(LIFETIME - 1)
    late = sign(challenge.message)
    await clock.turn(2)
    with pytest.raises(Refused, match="was good for 10 minutes, which are over"):
        await linked.prove(ADA, late, guild_id=GUILD)
    assert await linked.of(ADA) is None


async def test_only_the_newest_message_counts(linked: Wallets) -> None:
    first = await linked.challenge(ADA, KEY.address)
    second = await linked.challenge(ADA, KEY.address)
    assert first.message != second.message
    with pytest.raises(Refused, match="Nothing was linked"):
        await linked.prove(ADA, sign(first.message), guild_id=GUILD)
    await linked.prove(ADA, sign(second.message), guild_id=GUILD)


async def test_another_wallets_signature_links_nothing_and_may_be_tried_again(linked: Wallets) -> None:
    challenge = await linked.challenge(ADA, KEY.address)
    with pytest.raises(Refused, match=f"signed by {OTHER.address}.*not by {KEY.address}.*Nothing was linked"):
        await linked.prove(ADA, sign(challenge.message, OTHER), guild_id=GUILD)
    assert await linked.of(ADA) is None
    await linked.prove(ADA, sign(challenge.message), guild_id=GUILD)


async def test_a_members_message_proves_nothing_about_another(linked: Wallets) -> None:
    ada, ben = await linked.challenge(ADA, KEY.address), await linked.challenge(BEN, KEY.address)
    assert str(ADA) in ada.message
    with pytest.raises(Refused, match="Nothing was linked"):
        await linked.prove(BEN, sign(ada.message), guild_id=GUILD)
    await linked.prove(BEN, sign(ben.message), guild_id=GUILD)
    assert await linked.of(ADA) is None


@pytest.mark.parametrize("typed", ["", "hello", "0x12", "0x" + "g" * 130, "0x" + "00" * 65, "0x" + "ff" * 65])
async def test_what_is_no_signature_is_refused_in_a_sentence(linked: Wallets, typed: str) -> None:
    challenge = await linked.challenge(ADA, KEY.address)
    with pytest.raises(Refused):
        await linked.prove(ADA, typed, guild_id=GUILD)
    await linked.prove(ADA, sign(challenge.message), guild_id=GUILD)


async def test_a_smart_wallets_signature_is_explained(linked: Wallets) -> None:
    await linked.challenge(ADA, KEY.address)
    with pytest.raises(Refused, match="smart wallets sign in another way"):
        await linked.prove(ADA, "0x" + "ab" * 300, guild_id=GUILD)


async def test_who_has_asked_for_no_message_cannot_prove_anything(linked: Wallets) -> None:
    with pytest.raises(Refused, match="Begin again with `/wallet link`"):
        await linked.prove(ADA, "0x" + "ab" * 65, guild_id=GUILD)


@pytest.mark.parametrize("typed", ["", "ada.eth", "0x123", "0x" + "0" * 40, KEY.address.replace("E", "e", 1)])
async def test_a_wrong_address_is_refused_before_anything_is_signed(linked: Wallets, typed: str) -> None:
    with pytest.raises(Refused):
        await linked.challenge(ADA, typed)


async def test_the_newest_proof_of_a_wallet_counts(linked: Wallets, database: Database) -> None:
    await prove(linked, BEN)
    challenge = await linked.challenge(ADA, KEY.address)
    made = await linked.prove(ADA, sign(challenge.message), guild_id=GUILD)
    assert made.taken_from == BEN
    assert await address_of(database, BEN) is None
    assert await address_of(database, ADA) == KEY.address
    taken = (await load_audit(database, BEN))[-1]
    assert (taken.action, taken.actor_id) == ("wallet unlinked", ADA)


async def test_a_new_wallet_takes_the_place_of_the_old_one(linked: Wallets, database: Database) -> None:
    await prove(linked)
    challenge = await linked.challenge(ADA, OTHER.address)
    assert await address_of(database, ADA) == KEY.address, "until the new one is proven"
    made = await linked.prove(ADA, sign(challenge.message, OTHER), guild_id=GUILD)
    assert made.before == KEY.address
    assert await address_of(database, ADA) == OTHER.address


async def test_a_wallet_can_be_forgotten(linked: Wallets, database: Database) -> None:
    await prove(linked)
    assert await linked.unlink(ADA, guild_id=GUILD) == KEY.address
    assert await linked.of(ADA) is None
    assert [entry.action for entry in await load_audit(database, ADA)] == ["wallet linked", "wallet unlinked"]
    with pytest.raises(Refused, match="You have linked no wallet"):
        await linked.unlink(ADA, guild_id=GUILD)


async def test_a_text_that_is_signed_elsewhere_names_no_domain(linked: Wallets) -> None:
    """MetaMask calls a text phishing that begins with the sign-in of another domain than the page's."""
    challenge = await linked.challenge(ADA, KEY.address, name="ada.l", guild_id=GUILD)
    assert "wants you to sign in" not in challenge.message
    assert "discord.com" not in challenge.message
    assert f"Discord account: ada.l ({ADA})" in challenge.message
    assert challenge.page is None


async def test_a_name_that_could_change_the_text_is_left_out(linked: Wallets) -> None:
    challenge = await linked.challenge(ADA, KEY.address, name="ada\nNonce: 1")
    assert f"Discord account: {ADA}\n" in challenge.message


async def test_mycryptos_json_with_another_text_says_which(linked: Wallets) -> None:
    await linked.challenge(ADA, KEY.address)
    pasted = json.dumps({"address": KEY.address, "msg": "Hello", "sig": sign("Hello"), "version": "2"})
    with pytest.raises(Refused, match=f"Another text was signed by {KEY.address}, which begins with “Hello”"):
        await linked.prove(ADA, pasted, guild_id=GUILD)


async def test_mycryptos_json_of_another_account_says_whose(linked: Wallets) -> None:
    message = (await linked.challenge(ADA, KEY.address)).message
    pasted = json.dumps({"address": OTHER.address, "msg": message, "sig": sign(message, OTHER), "version": "2"})
    with pytest.raises(Refused, match=f"signed by {OTHER.address}, and not by {KEY.address}.*Nothing was linked"):
        await linked.prove(ADA, pasted, guild_id=GUILD)


async def test_a_signature_of_the_message_before_is_called_that(linked: Wallets) -> None:
    first = await linked.challenge(ADA, KEY.address)
    await linked.challenge(ADA, KEY.address)
    with pytest.raises(Refused, match="of the message before this one"):
        await linked.prove(ADA, sign(first.message), guild_id=GUILD)


async def test_a_message_of_an_older_bot_is_still_good_for_its_minutes(
    linked: Wallets, bench: Bench, clock: TurnedClock
) -> None:
    """It was kept in fewer fields, with EIP-4361's text."""
    message = f"discord.com wants you to sign in with your Ethereum account:\n{KEY.address}\n"
    kept = {"address": KEY.address, "message": message, "expires_at": clock.now() + 60, "used": False}
    async with bench.database.write() as db:
        await drafts.save(
            db,
            draft_id=f"wallet-{ADA}",
            owner_id=ADA,
            content=json.dumps(kept),
            now=clock.now(),
            expires_at=clock.now() + 600,
        )
    assert (await linked.prove(ADA, sign(message), guild_id=GUILD)).wallet.address == KEY.address


# As members see it.


def read_card(result: simcord.InteractionResult) -> str:
    assert result.response
    assert result.response.ephemeral
    return "\n".join(_texts(result.response.components))


def _texts(components: Any) -> list[str]:
    texts: list[str] = []
    for each in components:
        if isinstance(each.get("content"), str):
            texts.append(each["content"])
        texts += _texts(each.get("components", []))
    return texts


async def test_a_member_links_shows_and_unlinks_a_wallet(community: Community) -> None:
    ada, studio = community.ada, community.studio
    assert "You have linked no wallet." in private(await ada.slash(studio, "wallet show"))
    asked = await ada.slash(studio, "wallet link", address=KEY.address)
    assert asked.response
    (message,) = re.findall(r"```\n(.*)\n```", read_card(asked), re.DOTALL)
    form = await ada.click(asked.response, label="I have signed it")
    wrong = await ada.submit_modal(form, {"signature": sign(message, OTHER)})
    assert "Nothing was linked" in wrong.followups[-1].content
    form = await ada.click(asked.response, label="I have signed it")
    await ada.submit_modal(form, {"signature": sign(message)})
    assert KEY.address in private(await ada.slash(studio, "wallet show"))
    assert "is not linked any more" in private(await ada.slash(studio, "wallet unlink"))
    assert "You have linked no wallet." in private(await ada.slash(studio, "wallet show"))
    assert community.cards == [], "nobody else sees any of it"
