"""Registering on a real chain, and reading back what became of it."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import decode

from bot.errors import Broken, Refused, Unavailable
from bot.story.licences import WRAPPED_IP, Licence, LicenceKey, PILTerms, terms_of
from bot.story.mints import call_for
from bot.story.node import contracts
from bot.story.node.networks import AENEID, MAINNET
from bot.story.node.reverts import Duplicate
from bot.story.node.values import Address, Hash
from bot.story.reading import Reading
from bot.story.registrar import Mined, Parent, Registered, Registrar
from standins.base.faults import Fault
from standins.chain import PUBLIC_COLLECTION, changes, ip_id, refuses, reverses_logs, says
from standins.chain.story import storage_slot
from tests.scenes.story import NO_LICENCE, NON_COMMERCIAL, Desk, a_hash, a_mint, desk, own

__all__ = ["desk", "own"]

COIN = 10**18
LICENCES = [
    NO_LICENCE,
    NON_COMMERCIAL,
    Licence(key=LicenceKey.COMMERCIAL_USE, minting_fee=COIN // 20),
    Licence(key=LicenceKey.COMMERCIAL_REMIX, minting_fee=0, revenue_share=5),
    Licence(key=LicenceKey.CC_BY),
]
BEN = Address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")


@pytest.mark.parametrize("licence", LICENCES, ids=lambda each: each.key)
async def test_an_image_becomes_an_ip_asset_of_its_recipient_under_its_licence(desk: Desk, licence: Licence) -> None:
    mint = a_mint(licence=licence)

    registered = await desk.register(mint)

    read = await desk.registrar.read_back(mint, registered)
    assert read.good, [check.sentence for check in read.checks if not check.good]
    assert registered.ip_id == ip_id(desk.registrar.collection, 1)
    terms = terms_of(licence)
    assert [values for _, values in await desk.registrar.terms_of(registered.ip_id)] == ([terms] if terms else [])
    assert len(registered.terms_ids) == (0 if terms is None else 1)


async def test_the_non_commercial_licence_is_storys_first_one_in_either_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def another(_: Reading) -> PILTerms | None:
        return terms_of(LICENCES[4])

    by_default = await desk.register(a_mint(licence=NON_COMMERCIAL))
    monkeypatch.setattr(Reading, "default_terms", another)  # Story changes its default
    in_full = await desk.register(a_mint(licence=NON_COMMERCIAL))

    assert (
        by_default.terms_ids == in_full.terms_ids == (1,)
    )  # the non-commercial terms, which Story itself has registered


@pytest.mark.parametrize("licence", [NON_COMMERCIAL, LICENCES[3], LICENCES[4]], ids=lambda each: each.key)
async def test_a_derivative_names_its_parents_and_carries_their_licence(desk: Desk, licence: Licence) -> None:
    first, second = [await desk.register(a_mint(licence=licence, recipient=BEN)) for _ in range(2)]
    parents = tuple([await desk.registrar.parent_of(each.ip_id) for each in (first, second)])
    mint = a_mint(parents=parents)

    run = await desk.registrar.dry_run(mint)
    registered = await desk.register(mint)

    read = await desk.registrar.read_back(mint, registered)
    assert read.good, [check.sentence for check in read.checks if not check.good]
    assert registered.terms_ids == first.terms_ids
    assert run.gas > 0


@pytest.mark.parametrize(
    ("licence", "words"),
    [
        (NO_LICENCE, "without a licence"),
        (LICENCES[2], "allows no derivatives"),
        (Licence(key=LicenceKey.COMMERCIAL_REMIX, minting_fee=1, revenue_share=5), "costs a fee"),
    ],
    ids=["none", "no derivatives", "a fee"],
)
async def test_what_cannot_be_a_parent_is_refused_before_anything_is_paid(
    desk: Desk, licence: Licence, words: str
) -> None:
    registered = await desk.register(a_mint(licence=licence))

    with pytest.raises(Refused, match=words):
        await desk.registrar.parent_of(registered.ip_id)


async def test_what_is_no_ip_asset_is_no_parent(desk: Desk) -> None:
    with pytest.raises(Refused, match="not registered on Story"):
        await desk.registrar.parent_of(BEN)
    with pytest.raises(Refused, match="not registered on Story"):
        await desk.registrar.dry_run(a_mint(parents=(Parent(ip_id=BEN, terms_id=1),)))
    unlicensed = await desk.register(a_mint())
    with pytest.raises(Refused, match="no such licence"):
        await desk.registrar.dry_run(a_mint(parents=(Parent(ip_id=unlicensed.ip_id, terms_id=1),)))


async def test_a_dry_run_says_what_it_would_cost_and_sends_nothing(desk: Desk) -> None:
    before = await desk.chain.nonce(desk.wallet.address)
    mint = a_mint(licence=NON_COMMERCIAL)

    run = await desk.registrar.dry_run(mint)
    (end,) = await desk.settle(await desk.submit(mint))

    assert run.sentence == "The chain would take it."
    assert end.gas_used <= run.gas <= end.gas_used * 1.1
    assert await desk.chain.nonce(desk.wallet.address) == before + 1


async def test_a_recipient_that_cannot_take_tokens_is_the_members_to_change(desk: Desk) -> None:
    deaf = Address("0x00000000000000000000000000000000000D0eAF")
    await desk.node.put_code(deaf, bytes.fromhex("60006000fd"))  # refuses everything

    with pytest.raises(Refused, match="cannot take the token"):
        await desk.registrar.dry_run(a_mint(recipient=deaf))


async def test_a_contract_that_takes_tokens_can_be_the_recipient(desk: Desk) -> None:
    safe = Address("0x0000000000000000000000000000000000005afE")
    # Answers any call with the selector of onERC721Received.
    await desk.node.put_code(safe, bytes.fromhex("63150b7a0260e01b60005260206000f3"))
    mint = a_mint(recipient=safe)

    registered = await desk.register(mint)

    assert (await desk.registrar.read_back(mint, registered)).good


async def test_a_closed_collection_is_the_admins_to_open(desk: Desk) -> None:
    await desk.node.close_minting(desk.registrar.collection)

    with pytest.raises(Broken, match="Minting is closed"):
        await desk.registrar.dry_run(a_mint())
    readiness = await desk.registrar.readiness()
    assert [check.name for check in readiness.checks if not check.good] == ["minting"]


async def test_a_paused_protocol_is_nobodys_to_open(desk: Desk) -> None:
    await desk.node.pause_protocol()

    with pytest.raises(Broken, match="Story has paused"):
        await desk.registrar.dry_run(a_mint())


async def test_another_s_private_collection_is_closed_to_the_wallet(desk: Desk) -> None:
    stranger = desk.again(key="0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")

    with pytest.raises(Broken, match="may not mint in this collection"):
        await stranger.registrar.dry_run(a_mint())
    readiness = await stranger.registrar.readiness()
    assert [check.name for check in readiness.checks if not check.good] == ["rights"]
    assert "collection create" in readiness.checks[4].sentence


def at(desk: Desk, collection: str | None, **different: Any) -> Registrar:
    """The same wallet's registrar for another collection."""
    network = different.get("network", AENEID)
    given = Address(collection) if collection else None
    return Registrar(desk.chain, desk.wallet, desk.sender, network=network, collection=given)


async def test_everything_is_ready_on_a_fresh_network(desk: Desk) -> None:
    readiness = await desk.registrar.readiness()

    assert readiness.ready
    assert not readiness.runs_low
    assert readiness.registrations_left
    assert readiness.registrations_left > 1000
    assert [check.name for check in readiness.checks] == [
        "node", "contracts", "collection", "minting", "rights", "mint fee", "balance",
    ]  # fmt: skip


async def test_low_coins_are_foreseen(desk: Desk) -> None:
    await desk.node.fund(desk.wallet.address, COIN // 100)

    readiness = await desk.registrar.readiness()

    assert readiness.ready
    assert readiness.runs_low
    assert readiness.registrations_left in {2, 3, 4}
    assert "Send it more coins" in readiness.checks[-1].sentence
    await desk.node.fund(desk.wallet.address, 0)
    assert not (await desk.registrar.readiness()).ready


async def test_an_address_without_a_collection_is_told_as_such(desk: Desk) -> None:
    nothing = at(desk, BEN)
    readiness = await nothing.readiness()
    assert "There is no contract at" in next(check.sentence for check in readiness.checks if not check.good)

    other = at(desk, contracts.IP_ASSET_REGISTRY)
    with pytest.raises(Refused, match="no collection made by Story"):
        await other.describe_collection(contracts.IP_ASSET_REGISTRY)

    missing = await at(desk, None).readiness()
    assert "SPG_NFT_CONTRACT_ADDRESS is missing" in " ".join(check.sentence for check in missing.checks)


async def test_a_node_of_another_network_is_refused_before_anything_else(desk: Desk) -> None:
    elsewhere = desk.again()
    elsewhere.chain.network = MAINNET

    with pytest.raises(Broken, match=r"chain id 1315.*chain id 1514"):
        await elsewhere.sender.prepare(await desk.registrar.call_of(a_mint()))
    readiness = await elsewhere.registrar.readiness()
    assert not readiness.ready
    assert "Change one of the two" in readiness.checks[0].sentence


async def test_a_transaction_of_one_network_is_not_settled_on_another(desk: Desk) -> None:
    transaction_id = await desk.submit(a_mint())
    elsewhere = desk.again()
    elsewhere.chain.network = MAINNET

    with pytest.raises(Broken, match="Set STORY_NETWORK back"):
        await elsewhere.sender.await_final(transaction_id)


async def test_a_node_that_is_away_is_a_check_that_is_not_good(own: Desk) -> None:
    own.node.server.faults.append(Fault("*", refuses("rate limited"), times=1000))
    readiness = await own.registrar.readiness()
    assert not readiness.ready
    assert readiness.balance is None


async def test_a_protocol_that_is_not_there_is_told_by_name(own: Desk) -> None:
    own.node.server.faults.append(Fault("eth_getCode", says("0x"), times=20))
    readiness = await own.registrar.readiness()
    assert "Story's contracts are not there: RegistrationWorkflows, " in readiness.checks[1].sentence


async def test_what_was_registered_before_a_crash_is_found_by_its_metadata(desk: Desk) -> None:
    mint = a_mint(licence=NON_COMMERCIAL)
    assert await desk.registrar.existing(mint) is None
    registered = await desk.register(mint)

    assert await desk.again().registrar.existing(mint) == registered
    with pytest.raises(Duplicate) as error:
        await desk.registrar.dry_run(mint)
    assert error.value.token_id == registered.token_id


async def test_it_is_found_where_the_node_looks_not_so_far_back(own: Desk) -> None:
    mint = a_mint(licence=NON_COMMERCIAL)
    registered = await own.register(mint)
    own.node.server.faults.append(Fault("eth_getLogs", refuses("block range too large"), times=2))

    existing = await own.registrar.existing(mint)

    assert existing == Registered(ip_id=registered.ip_id, token_id=1, terms_ids=(1,))
    assert await own.registrar.existing(a_mint(nft_metadata_hash=mint.nft_metadata_hash)) is None


async def test_a_strangers_token_with_our_metadata_is_not_ours(desk: Desk) -> None:
    stranger = desk.again(key="0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")
    theirs = replace(stranger, registrar=at(stranger, PUBLIC_COLLECTION))
    mint = a_mint(licence=NON_COMMERCIAL)
    await theirs.register(mint)
    ours = at(desk, PUBLIC_COLLECTION)

    with pytest.raises(Duplicate):
        await ours.dry_run(mint)
    assert await ours.existing(mint) is None


async def test_what_an_earlier_wallet_of_the_bot_has_registered_is_ours(own: Desk) -> None:
    mint = a_mint(licence=NON_COMMERCIAL)
    registered = await own.register(mint)
    successor = own.again(key="0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")

    assert await successor.registrar.existing(mint) == registered
    assert await successor.registrar.existing(mint.model_copy(update={"recipient": BEN})) is None


@pytest.mark.parametrize("licence", LICENCES, ids=lambda each: each.key)
@pytest.mark.parametrize("parents", [(), (Parent(ip_id=BEN, terms_id=1),)], ids=["original", "derivative"])
def test_whatever_is_registered_the_chain_is_told_to_allow_no_duplicates(
    licence: Licence, parents: tuple[Parent, ...]
) -> None:
    for default_terms in (None, terms_of(NON_COMMERCIAL)):
        call = call_for(a_mint(licence=licence, parents=parents), BEN, default_terms=default_terms)
        function = next(each for each in contracts.FUNCTIONS if each.selector.hex() == call.data[2:10])
        assert function.name.startswith("mintAndRegisterIp")
        assert decode(function.takes, bytes.fromhex(call.data[10:]))[-1] is False


async def test_an_event_of_a_contract_that_is_not_storys_registers_nothing(own: Desk) -> None:
    mint = a_mint()
    (end,) = await own.settle(await own.submit(mint))
    assert isinstance(end, Mined)
    straight = await own.registrar.outcome(end)

    def forged(receipt: dict[str, Any]) -> dict[str, Any]:
        topic = "0x" + contracts.IP_REGISTERED.topic.hex()
        true = next(log for log in receipt["logs"] if log["topics"][0] == topic)
        lie = {**true, "address": BEN, "topics": [*true["topics"][:3], f"0x{99:064x}"]}
        return {**receipt, "logs": [lie, *receipt["logs"]]}

    own.node.server.faults.append(Fault("eth_getTransactionReceipt", changes(forged)))
    assert await own.registrar.outcome(end) == straight


async def test_the_outcome_is_read_from_storys_own_event_in_whatever_order_they_come(own: Desk) -> None:
    mint = a_mint()
    (end,) = await own.settle(await own.submit(mint))
    assert isinstance(end, Mined)
    straight = await own.registrar.outcome(end)
    own.node.server.faults.append(Fault("eth_getTransactionReceipt", reverses_logs()))

    assert await own.registrar.outcome(end) == straight


async def test_a_transaction_that_registered_nothing_here_is_broken(desk: Desk) -> None:
    (end,) = await desk.settle(await desk.submit(a_mint()))
    assert isinstance(end, Mined)

    with pytest.raises(Broken, match="registered nothing"):
        await at(desk, PUBLIC_COLLECTION).outcome(end)
    with pytest.raises(Unavailable, match="receipt"):
        await desk.registrar.outcome(end.model_copy(update={"tx_hash": Hash("0x" + "00" * 32)}))


@pytest.mark.parametrize(
    ("different", "wrong"),
    [
        ({"recipient": BEN}, "owner"),
        ({"ip_metadata_uri": "https://ipfs.io/ipfs/other"}, "metadata address"),
        ({"ip_metadata_hash": a_hash("other")}, "metadata hash"),
        ({"nft_metadata_uri": "https://ipfs.io/ipfs/other"}, "NFT metadata address"),
        ({"nft_metadata_hash": a_hash("other")}, "NFT metadata hash"),
        ({"licence": LICENCES[4]}, "licence"),
        ({"licence": NO_LICENCE}, "licence"),
    ],
)
async def test_whatever_differs_from_what_was_meant_is_named(own: Desk, different: dict[str, Any], wrong: str) -> None:
    mint = a_mint(licence=NON_COMMERCIAL)
    registered = await own.register(mint)

    read = await own.registrar.read_back(mint.model_copy(update=different), registered)

    assert [check.name for check in read.checks if not check.good] == [wrong]


async def test_a_token_that_does_not_exist_is_wrong_in_everything(desk: Desk) -> None:
    nothing = Registered(ip_id=BEN, token_id=77)
    read = await desk.registrar.read_back(a_mint(licence=NON_COMMERCIAL), nothing)
    assert not read.checks[0].good
    assert not read.checks[1].good


async def test_a_collection_is_made_once_however_often_it_is_asked_for(desk: Desk) -> None:
    wanted = {"name": "Postcards", "symbol": "POST", "contract_uri": "https://ipfs.io/ipfs/x"}
    first = await desk.collect(**wanted)
    again = await desk.again().collect(**wanted)
    other = await desk.collect(**wanted, public=True)

    assert first == again
    assert (first.name, first.symbol, first.public, first.owned_by_wallet, first.may_mint) == (
        "Postcards", "POST", False, True, True,
    )  # fmt: skip
    assert other.public
    assert other.address != first.address
    assert await desk.registrar.describe_collection(first.address) == first


async def test_a_collection_whose_making_was_killed_is_finished_by_asking_again(own: Desk) -> None:
    await own.node.automine(False)
    impatient = own.again(patience=0)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await impatient.collect()
    nonce = await own.chain.nonce(own.wallet.address)
    await own.node.mine()

    made = await own.again().collect()

    assert made.name == "P"
    assert await own.chain.nonce(own.wallet.address) == nonce + 1


async def test_a_mint_fee_is_explained(own: Desk) -> None:
    collection = own.registrar.collection
    await own.node.server.set_storage(collection, storage_slot("SPGNFT", "mintFee"), COIN)
    token = int(WRAPPED_IP, 16)
    await own.node.server.set_storage(collection, storage_slot("SPGNFT", "mintFeeToken"), token)

    readiness = await own.registrar.readiness()

    assert [check.name for check in readiness.checks if not check.good] == ["mint fee"]
    with pytest.raises(Broken, match="takes a fee for each mint"):
        await own.registrar.dry_run(a_mint())
