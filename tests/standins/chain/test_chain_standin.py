"""Registrations on the stand-ins behave like registrations on Story, on the sandbox's chain and on anvil alike."""

import pytest

from standins.chain import CHAIN_ID, MINTER_ROLE, NOBODY, PUBLIC_COLLECTION, contracts, ip_id
from tests.scenes.chain import (
    ADA,
    BEN,
    BOT,
    COLLECTION,
    ETHER,
    LICENSES,
    REGISTRATION,
    REGISTRY,
    VIEW,
    WIP,
    Scene,
    metadata,
    open_collection,
    topic,
)
from tests.scenes.chains import Client, Node, RpcError


@pytest.fixture
async def scene(client: Client) -> Scene:
    return await open_collection(client)


async def test_a_new_collection_is_as_it_was_ordered_and_its_owner_may_mint(scene: Scene) -> None:
    assert await scene.read("name") == "Fox pictures"
    assert await scene.read("symbol") == "FOX"
    assert await scene.read("contractURI") == "ipfs://contract"
    assert await scene.read("mintOpen") is True
    assert await scene.read("publicMinting") is False
    assert await scene.read("mintFee") == 0
    assert await scene.read("hasRole", MINTER_ROLE, BOT.address) is True
    assert await scene.read("hasRole", bytes(32), BOT.address) is True
    assert await scene.read("hasRole", MINTER_ROLE, ADA.address) is False


async def test_a_registration_leaves_its_logs_in_the_order_of_the_real_one(scene: Scene) -> None:
    receipt = await scene.done(REGISTRATION.address, scene.minted(1))

    ip = ip_id(scene.collection, 1)
    names = {
        "ddf252ad": "Transfer", "f8e1a15a": "MetadataUpdate", "79f19b36": "ERC6551AccountCreated",
        "5be70b68": "IPAccountRegistered", "02ad3a2e": "IPRegistered", "4f101677": "NFTTokenURISet",
        "3b2d7075": "MetadataURISet",
    }  # fmt: skip
    assert [names[log["topics"][0][2:10]] for log in receipt["logs"]] == [
        "Transfer", "MetadataUpdate", "ERC6551AccountCreated", "IPAccountRegistered", "IPRegistered",
        "NFTTokenURISet", "MetadataURISet", "Transfer",
    ]  # fmt: skip
    first, last = receipt["logs"][0], receipt["logs"][-1]
    assert first["topics"][1:3] == [topic(NOBODY), topic(REGISTRATION.address)]
    assert last["topics"][1:3] == [topic(REGISTRATION.address), topic(ADA.address)]
    registered = receipt["logs"][4]
    assert registered["topics"][1:] == [topic(hex(CHAIN_ID)), topic(scene.collection), topic("0x1")]
    assert registered["data"][2:66] == topic(ip)[2:]  # the IP's id is in the data, not a topic
    assert f"{CHAIN_ID}: Fox pictures #1".encode().hex() in registered["data"]


async def test_what_was_registered_can_be_read_back(scene: Scene) -> None:
    receipt = await scene.done(REGISTRATION.address, scene.minted(1))
    ip, client = ip_id(scene.collection, 1), scene.client
    block = await client.ask("eth_getBlockByNumber", receipt["blockNumber"], False)

    assert await client.call(REGISTRY, "isRegistered", ip) is True
    assert await scene.read("ownerOf", 1) == ADA.address.lower()
    assert await client.call(VIEW, "getOwner", ip) == ADA.address.lower()
    uri, hash_, nft_uri, nft_hash = metadata(1)
    assert await client.call(VIEW, "getMetadataURI", ip) == uri
    assert await client.call(VIEW, "getMetadataHash", ip) == hash_
    assert await client.call(VIEW, "getNftTokenURI", ip) == await scene.read("tokenURI", 1) == nft_uri
    assert await client.call(VIEW, "getNftMetadataHash", ip) == nft_hash
    assert await client.call(VIEW, "getRegistrationDate", ip) == int(block["timestamp"], 16)
    assert await scene.read("getTokenIdByMetadataHash", nft_hash) == 1
    assert await client.call(LICENSES, "getAttachedLicenseTermsCount", ip) == 0


async def test_an_ip_id_computed_offline_is_the_chains_own(scene: Scene) -> None:
    await scene.done(REGISTRATION.address, scene.minted(1))
    for collection, token_id in [(scene.collection, 1), (scene.collection, 77), (PUBLIC_COLLECTION, 1)]:
        theirs = await scene.client.call(REGISTRY, "ipId", CHAIN_ID, collection, token_id)
        assert theirs == ip_id(collection, token_id).lower()

    account = await scene.client.ask("eth_getCode", ip_id(scene.collection, 1), "latest")
    assert len(account) == 2 + 2 * 173  # the EVM itself put the account there


async def test_the_same_hash_is_minted_once_and_the_revert_names_the_first_token(scene: Scene) -> None:
    await scene.done(REGISTRATION.address, scene.minted(1))

    answer = await scene.refused(REGISTRATION.address, scene.minted(1))

    assert answer == "0x9379dcd9" + topic(scene.collection)[2:] + topic("0x1")[2:] + metadata(1)[3].hex()
    await scene.done(REGISTRATION.address, scene.minted(1, duplicates=True))
    assert await scene.read("totalSupply") == 2
    assert await scene.read("getTokenIdByMetadataHash", metadata(1)[3]) == 1


async def test_an_empty_hash_counts_as_a_hash(scene: Scene) -> None:
    call = REGISTRATION.call("mintAndRegisterIp", scene.collection, ADA.address, ("", bytes(32), "", bytes(32)), False)
    await scene.done(REGISTRATION.address, call)

    assert (await scene.refused(REGISTRATION.address, call)).startswith("0x9379dcd9")


async def test_only_minters_mint_unless_the_collection_is_public(scene: Scene) -> None:
    assert await scene.refused(REGISTRATION.address, scene.minted(1), by=BEN) == "0x06b752de"
    direct = COLLECTION.call("mint", BEN.address, "", bytes(32), False)
    assert await scene.refused(scene.collection, direct, by=BEN) == "0x575b4324"

    public = Scene(scene.client, PUBLIC_COLLECTION)
    receipt = await public.done(REGISTRATION.address, public.minted(1), by=BEN)
    assert len(receipt["logs"]) == 8


async def test_a_closed_or_full_collection_mints_nothing(scene: Scene, node: Node) -> None:
    await scene.done(scene.collection, COLLECTION.call("setMintOpen", False))
    assert await scene.refused(REGISTRATION.address, scene.minted(1)) == "0x3bdad64c"
    await node.close_minting(scene.collection, False)
    await scene.done(REGISTRATION.address, scene.minted(1))
    await node.close_minting(scene.collection)
    assert await scene.refused(REGISTRATION.address, scene.minted(2)) == "0x3bdad64c"

    small = await open_collection(scene.client, maxSupply=1)
    await small.done(REGISTRATION.address, small.minted(1))
    assert await small.refused(REGISTRATION.address, small.minted(2)) == "0xef2ef0fd"


async def test_only_the_admin_closes_a_collection(scene: Scene) -> None:
    answer = await scene.refused(scene.collection, COLLECTION.call("setMintOpen", False), by=BEN)

    assert answer.startswith("0xe2517d3f")  # AccessControlUnauthorizedAccount


async def test_a_paused_protocol_registers_nothing(scene: Scene, node: Node) -> None:
    await node.pause_protocol()
    assert await scene.refused(REGISTRATION.address, scene.minted(1)) == "0xd93c0665"
    await node.pause_protocol(False)
    await scene.done(REGISTRATION.address, scene.minted(1))


async def test_a_token_goes_to_whoever_can_take_it(scene: Scene, node: Node) -> None:
    nobody = await scene.refused(REGISTRATION.address, scene.minted(1, to=NOBODY))
    contract = await scene.refused(REGISTRATION.address, scene.minted(1, to=WIP.address))

    assert nobody == "0x64a0ae92" + topic(NOBODY)[2:]
    assert contract == "0x64a0ae92" + topic(WIP.address)[2:]
    safe = "0x" + "5afe" * 10  # a contract that says it can
    await node.put_code(safe, contracts()["IPAccount"].code)
    await scene.done(REGISTRATION.address, scene.minted(1, to=safe))
    assert await scene.read("ownerOf", 1) == safe


async def test_an_address_without_code_is_no_collection(scene: Scene) -> None:
    nowhere = Scene(scene.client, BEN.address)

    assert await nowhere.refused(REGISTRATION.address, nowhere.minted(1)) == "0x"


async def test_a_mint_fee_is_pulled_by_the_collection(scene: Scene) -> None:
    paid = await open_collection(
        scene.client, mintFee=3 * ETHER, mintFeeToken=WIP.address, mintFeeRecipient=BOT.address
    )
    assert await paid.refused(REGISTRATION.address, paid.minted(1)) == "0x13be252b"
    await paid.done(WIP.address, WIP.call("approve", paid.collection, 3 * ETHER))
    assert await paid.refused(REGISTRATION.address, paid.minted(1)) == "0xf4d678b8"

    await paid.client.mined(await paid.client.send(BOT, WIP.address, WIP.call("deposit"), value=3 * ETHER))
    await paid.done(REGISTRATION.address, paid.minted(1))
    assert await paid.client.call(WIP, "balanceOf", paid.collection) == 3 * ETHER
    assert await paid.client.call(WIP, "balanceOf", BOT.address) == 0


async def test_a_multicall_registers_all_or_nothing(scene: Scene) -> None:
    good = REGISTRATION.call("multicall", [scene.minted(number) for number in range(1, 6)])
    receipt = await scene.done(REGISTRATION.address, good)
    assert len(receipt["logs"]) == 40

    bad = REGISTRATION.call("multicall", [scene.minted(6), scene.minted(1)])
    assert (await scene.refused(REGISTRATION.address, bad)).startswith("0x9379dcd9")
    assert await scene.read("totalSupply") == 5


async def test_three_sends_of_one_hash_in_one_block_make_one_token(scene: Scene, node: Node) -> None:
    await node.automine(False)
    sent = [await scene.client.send(BOT, REGISTRATION.address, scene.minted(1)) for _ in range(3)]
    await node.mine()

    receipts = [await scene.client.mined(hash_) for hash_ in sent]
    assert [receipt["status"] for receipt in receipts] == ["0x1", "0x0", "0x0"]
    assert len({receipt["blockHash"] for receipt in receipts}) == 1
    again = {"from": BOT.address, "to": REGISTRATION.address, "data": "0x" + scene.minted(1).hex()}
    with pytest.raises(RpcError) as raised:  # the reason can be found where it happened
        await scene.client.ask("eth_call", again, receipts[1]["blockNumber"])
    assert (raised.value.data or "").startswith("0x9379dcd9")


async def test_registrations_are_found_by_collection_and_token(scene: Scene, node: Node) -> None:
    for number in range(1, 4):
        await scene.done(REGISTRATION.address, scene.minted(number))

    registered = "0x02ad3a2e0356b65fdfe4a73c825b78071ae469db35162978518b8c258abb3767"
    search = {"fromBlock": "0x0", "address": REGISTRY.address}
    wanted = [registered, None, topic(scene.collection), topic("0x2")]
    [log] = await scene.client.ask("eth_getLogs", {**search, "topics": wanted})
    several = await scene.client.ask("eth_getLogs", {**search, "topics": [registered, None, topic(scene.collection)]})
    either = [registered, None, None, [topic("0x1"), topic("0x3")]]
    two = await scene.client.ask("eth_getLogs", {**search, "topics": either})

    assert log["data"][2:66] == topic(ip_id(scene.collection, 2))[2:]
    assert [log["topics"][3] for log in several] == [topic(hex(number)) for number in range(1, 4)]
    assert len(two) == 2
    longer = [registered, None, None, None, None]  # than the log has topics
    assert await scene.client.ask("eth_getLogs", {**search, "topics": longer[:4]})
    if node.name == "py-evm":  # anvil refuses to search for five
        assert await scene.client.ask("eth_getLogs", {**search, "topics": longer}) == []
