"""Signatures, topics, error selectors and addresses, beside the published ones (protocol and periphery 1.3.2)."""

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from bot.errors import BotError, Broken, Refused
from bot.story.node import contracts
from bot.story.node.chain import LogEntry
from bot.story.node.contracts import EVENTS, FUNCTIONS, Event, Function
from bot.story.node.reverts import SELECTORS, Duplicate, decode_revert
from bot.story.node.values import Address, Hash
from standins.chain import ip_id

PUBLISHED = {
    "createCollection": "e80fe52f",
    "mintAndRegisterIp": "f1c42a22",
    "mintAndRegisterIpAndAttachDefaultTerms": "ec964b6b",
    "mintAndRegisterIpAndAttachPILTerms": "2c24a702",
    "mintAndRegisterIpAndMakeDerivative": "c0c56b62",
    "getTokenIdByMetadataHash": "c89f847c",
    "hasRole": "91d14854",
    "mintFee": "13966db5",
    "mintFeeToken": "c4c69033",
    "mintOpen": "24bbd049",
    "ownerOf": "6352211e",
    "publicMinting": "53ac010a",
    "tokenURI": "c87b56dd",
    "totalSupply": "18160ddd",
    "name": "06fdde03",
    "symbol": "95d89b41",
    "ipId": "d26bb83f",
    "isRegistered": "c3c5a547",
    "getMetadataURI": "0fcc3081",
    "getMetadataHash": "45489adf",
    "getNftTokenURI": "32f6c532",
    "getNftMetadataHash": "8b3194a5",
    "getAttachedLicenseTerms": "1c5fa352",
    "getAttachedLicenseTermsCount": "390e5e12",
    "getDefaultLicenseTerms": "78c0f952",
    "getParentIp": "8f363bab",
    "getParentIpCount": "22a47744",
    "getLicenseTerms": "d1908a9c",
}
TOPICS = {
    "CollectionCreated": "75432e2e509efcaf947efcc7a5a6b6b3562425b29e9725c7a4a5c652291ac35d",
    "Transfer": "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
    "IPRegistered": "02ad3a2e0356b65fdfe4a73c825b78071ae469db35162978518b8c258abb3767",
    "LicenseTermsAttached": "b8d0577f110d8cf9f2c63ba14b0511362a85865bf03ea4f1c8a10ddc490244c7",
}
COLLECTION = Address("0xc32A8a0FF3beDDDa58393d022aF433e78739FAbc")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_a_function_has_its_published_selector(function: Function) -> None:
    assert function.selector.hex() == PUBLISHED[function.name]


@pytest.mark.parametrize("event", EVENTS, ids=lambda each: each.name)
def test_an_event_has_its_published_topic(event: Event) -> None:
    assert event.topic.hex() == TOPICS[event.name]


@pytest.mark.parametrize("token_id", [1, 7, 2**200])
def test_the_id_of_an_ip_asset_is_known_without_the_chain(token_id: int) -> None:
    assert contracts.ip_id_of(1315, COLLECTION, token_id) == ip_id(COLLECTION, token_id)
    assert contracts.ip_id_of(1514, COLLECTION, token_id) != ip_id(COLLECTION, token_id)


def test_an_event_of_another_contract_is_not_ours() -> None:
    log = LogEntry(
        address=COLLECTION,
        topics=(contracts.COLLECTION_CREATED.topic, bytes(12) + bytes.fromhex(COLLECTION[2:])),
        content=b"",
        tx_hash=Hash("0x"),
        block=1,
        block_hash=Hash("0x"),
    )
    assert contracts.COLLECTION_CREATED.read(log, by=COLLECTION) == {"spgNftContract": COLLECTION.lower()}
    assert contracts.COLLECTION_CREATED.read(log, by=contracts.REGISTRATION_WORKFLOWS) is None
    assert contracts.IP_REGISTERED.read(log, by=COLLECTION) is None


def test_an_answer_of_another_kind_of_contract_is_not_misread() -> None:
    with pytest.raises(Broken, match="of another kind"):
        contracts.LICENSE_TERMS.decode(b"\x01" * 31)


REVERTS: list[tuple[str, type[BotError], str]] = [
    ("06b752de", Broken, "may not mint in this collection"),
    ("3bdad64c", Broken, "Minting is closed"),
    ("ef2ef0fd", Broken, "is full"),
    ("575b4324", Broken, "does not let"),
    ("64a0ae92" + encode(["address"], [COLLECTION]).hex(), Refused, COLLECTION),
    ("d93c0665", Broken, "paused"),
    ("13be252b", Broken, "takes a fee"),
    ("f4d678b8", Broken, "takes a fee"),
    ("fb8f41b2" + encode(["address", "uint256", "uint256"], [COLLECTION, 0, 1]).hex(), Broken, "takes a fee"),
    ("e450d38c" + encode(["address", "uint256", "uint256"], [COLLECTION, 0, 1]).hex(), Broken, "takes a fee"),
    ("a70dd810", Broken, "no licence terms"),
    ("14729b17" + encode(["address"], [COLLECTION]).hex(), Refused, "not registered on Story"),
    ("9b466333" + encode(["address", "address"], [COLLECTION, COLLECTION]).hex(), Refused, "no such licence"),
    ("4f7460bc", Refused, "exclude each other"),
    ("7e273289" + encode(["uint256"], [5]).hex(), Broken, "no such token"),
    ("08c379a0" + encode(["string"], ["not today"]).hex(), Broken, "refused: not today"),
    ("4e487b71" + encode(["uint256"], [0x11]).hex(), Broken, "too large or too small"),
    ("deadbeef", Broken, "0xdeadbeef"),
    ("", Broken, "without a reason"),
    ("3bda", Broken, "without a reason"),
    ("64a0ae92" + "00" * 5, Broken, "cut off"),
    ("08c379a0" + "ff" * 40, Broken, "does not say why"),
]


@pytest.mark.parametrize(("data", "error", "words"), REVERTS, ids=[each[2] for each in REVERTS])
def test_a_refusal_becomes_a_sentence(data: str, error: type[BotError], words: str) -> None:
    revert = decode_revert("0x" + data)

    assert words in revert.sentence
    assert type(revert.raised()) is error
    assert str(revert.raised()) == revert.sentence


def test_every_published_error_is_known() -> None:
    met = {"0x" + data[:8] for data, *_ in REVERTS} | {"0x9379dcd9"}
    assert met >= SELECTORS


def test_a_duplicate_names_the_token_that_is_there() -> None:
    data = "0x9379dcd9" + encode(["address", "uint256", "bytes32"], [COLLECTION, 2**70, keccak(b"x")]).hex()

    error = decode_revert(data).raised()

    assert isinstance(error, Duplicate)
    assert error.token_id == 2**70
