"""The stand-ins of Story's contracts have Story's interface: its selectors, topics and errors, as facts."""

import re
from pathlib import Path

import pytest
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from standins.chain import ACCOUNTS, Contract, contracts, story

SOURCES = Path(story.__file__).parent / "contracts"


FUNCTIONS = {
    "RegistrationWorkflows": {
        "createCollection": "e80fe52f",
        "mintAndRegisterIp": "f1c42a22",
        "multicall": "ac9650d8",
    },
    "LicenseAttachmentWorkflows": {
        "mintAndRegisterIpAndAttachDefaultTerms": "ec964b6b",
        "mintAndRegisterIpAndAttachPILTerms": "2c24a702",
        "multicall": "ac9650d8",
    },
    "DerivativeWorkflows": {"mintAndRegisterIpAndMakeDerivative": "c0c56b62", "multicall": "ac9650d8"},
    "SPGNFT": {
        "getTokenIdByMetadataHash": "c89f847c",
        "hasRole": "91d14854",
        "mintFee": "13966db5",
        "mintFeeToken": "c4c69033",
        "mintOpen": "24bbd049",
        "ownerOf": "6352211e",
        "publicMinting": "53ac010a",
        "setMintOpen": "f8004d31",
        "tokenURI": "c87b56dd",
        "totalSupply": "18160ddd",
    },
    "IPAssetRegistry": {
        "ipId": "d26bb83f",
        "isRegistered": "c3c5a547",
        "register": "fca247ac",
        "totalSupply": "18160ddd",
    },
    "CoreMetadataViewModule": {
        "getCoreMetadata": "94a4a00b",
        "getMetadataHash": "45489adf",
        "getMetadataURI": "0fcc3081",
        "getNftMetadataHash": "8b3194a5",
        "getNftTokenURI": "32f6c532",
        "getOwner": "fa544161",
        "getRegistrationDate": "562578b6",
    },
    "LicensingModule": {
        "attachDefaultLicenseTerms": "2af701b0",
        "attachLicenseTerms": "2a4130c0",
        "registerDerivative": "4a4d56c5",
    },
    "LicenseRegistry": {
        "getAttachedLicenseTerms": "1c5fa352",
        "getAttachedLicenseTermsCount": "390e5e12",
        "getDefaultLicenseTerms": "78c0f952",
        "getParentIp": "8f363bab",
        "getParentIpCount": "22a47744",
        "hasIpAttachedLicenseTerms": "72480247",
        "isDerivativeIp": "7280f24c",
    },
    "PILicenseTemplate": {
        "getLicenseTerms": "d1908a9c",
        "getLicenseTermsId": "602f6b9b",
        "registerLicenseTerms": "6e1b8d90",
    },
}

EVENTS = {
    "RegistrationWorkflows": {
        "CollectionCreated": ("i", "75432e2e509efcaf947efcc7a5a6b6b3562425b29e9725c7a4a5c652291ac35d"),
    },
    "SPGNFT": {
        "Transfer": ("iii", "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"),
        "MetadataUpdate": ("-", "f8e1a15aba9398e019f0b49df1a4fde98ee17ae345cb5f6b5e2c27f5033e8ce7"),
    },
    "ERC6551Registry": {
        "ERC6551AccountCreated": ("-i--ii", "79f19b3655ee38b1ce526556b7731a20c8f218fbda4a3990b6cc4172fdf88722"),
    },
    "IPAssetRegistry": {
        "IPAccountRegistered": ("iii--", "5be70b68c8361762980ec7d425d79fd33f6d49cac8a498e6ddf514f995b987f7"),
        "IPRegistered": ("-iii---", "02ad3a2e0356b65fdfe4a73c825b78071ae469db35162978518b8c258abb3767"),
    },
    "CoreMetadataModule": {
        "MetadataURISet": ("i--", "3b2d707542587feff5c7fe05482776be67fd747e64c2545089b52f395d47de76"),
        "NFTTokenURISet": ("i--", "4f10167731fb167d83b433ff4ef88092caafdc25681547a8045f4c299a5245c5"),
    },
    "LicensingModule": {
        "LicenseTermsAttached": ("ii--", "b8d0577f110d8cf9f2c63ba14b0511362a85865bf03ea4f1c8a10ddc490244c7"),
    },
    "PILicenseTemplate": {
        "LicenseTermsRegistered": ("ii-", "c0cd215d0b608421b2e8018c8113a4b008ea0c6044fbc739df6dc79c3b4c42b8"),
    },
}

ERRORS = {
    "Workflow__CallerNotAuthorizedToMint()": "06b752de",
    "LicenseAttachmentWorkflows__NoLicenseTermsData()": "a70dd810",
    "ERC721InvalidReceiver(address)": "64a0ae92",
    "SPGNFT__DuplicatedNFTMetadataHash(address,uint256,bytes32)": "9379dcd9",
    "SPGNFT__MaxSupplyReached()": "ef2ef0fd",
    "SPGNFT__MintingClosed()": "3bdad64c",
    "SPGNFT__MintingDenied()": "575b4324",
    "EnforcedPause()": "d93c0665",
    "LicenseRegistry__ParentIpNotRegistered(address)": "14729b17",
    "LicenseRegistry__ParentIpUnmatchedLicenseTemplate(address,address)": "9b466333",
    "LicensingModule__LicenseNotCompatibleForDerivative(address)": "4f7460bc",
    "InsufficientAllowance()": "13be252b",
    "InsufficientBalance()": "f4d678b8",
}

ADDRESSES = {
    "RegistrationWorkflows": "0xbe39E1C756e921BD25DF86e7AAa31106d1eb0424",
    "LicenseAttachmentWorkflows": "0xcC2E862bCee5B6036Db0de6E06Ae87e524a79fd8",
    "DerivativeWorkflows": "0x9e2d496f72C547C2C535B167e06ED8729B374a4f",
    "IPAssetRegistry": "0x77319B4031e6eF1250907aa00018B8B1c67a244b",
    "CoreMetadataModule": "0x6E81a25C99C6e8430aeC7353325EB138aFE5DC16",
    "CoreMetadataViewModule": "0xB3F88038A983CeA5753E11D144228Ebb5eACdE20",
    "LicensingModule": "0x04fbd8a2e56dd85CFD5500A4A4DfA955B9f1dE6f",
    "LicenseRegistry": "0x529a750E02d8E2f15649c13D69a465286a780e24",
    "PILicenseTemplate": "0x2E896b0b2Fdb7457499B56AAaA4AE55BCB4Cd316",
    "SPGNFT": "0xD2926B9ecaE85fF59B6FB0ff02f568a680c01218",
    "WIP": "0x1514000000000000000000000000000000000000",
    "ERC6551Registry": "0x000000006551c19487814612e58FE06813775758",
    "IPAccount": "0x00b800138e4D82D1eea48b414d2a2A8Aee9A33b1",
}


def signatures(contract: Contract, kind: str) -> dict[str, list[str]]:
    """What a contract's functions or events look like; one name may stand for several."""
    by_name: dict[str, list[str]] = {}
    for each in contract.abi:
        if each["type"] == kind:
            types = ",".join(collapse_if_tuple(argument) for argument in each["inputs"])
            by_name.setdefault(each["name"], []).append(f"{each['name']}({types})")
    return by_name


@pytest.mark.parametrize(
    ("contract", "function", "selector"),
    [(contract, name, selector) for contract, written in FUNCTIONS.items() for name, selector in written.items()],
)
def test_a_function_answers_to_its_selector(contract: str, function: str, selector: str) -> None:
    written = signatures(contracts()[contract], "function")[function]

    assert selector in {keccak(text=each)[:4].hex() for each in written}


@pytest.mark.parametrize(
    ("contract", "event", "indexed", "topic"),
    [(contract, name, *facts) for contract, facts_by_name in EVENTS.items() for name, facts in facts_by_name.items()],
)
def test_an_event_has_its_topic_and_indexes_what_the_real_one_indexes(
    contract: str, event: str, indexed: str, topic: str
) -> None:
    abi = next(each for each in contracts()[contract].abi if each["type"] == "event" and each["name"] == event)
    [signature] = signatures(contracts()[contract], "event")[event]

    assert keccak(text=signature).hex() == topic
    assert "".join("i" if argument["indexed"] else "-" for argument in abi["inputs"]) == indexed


@pytest.mark.parametrize("error", list(ERRORS))
def test_an_error_has_its_selector_and_some_contract_reverts_with_it(error: str) -> None:
    written = {
        signature
        for source in SOURCES.glob("*.vy")
        for signature in re.findall(r'method_id\("(\w+\([\w,]*\))"\)', source.read_text(encoding="utf-8"))
    }

    assert keccak(text=error)[:4].hex() == ERRORS[error]
    assert error in written


def test_they_are_where_story_has_them() -> None:
    assert {name: contract.address for name, contract in contracts().items()} == ADDRESSES


def test_a_contract_is_smaller_than_the_protocol_allows() -> None:
    assert all(0 < len(contract.code) <= 24_576 for contract in contracts().values())


def test_the_people_have_the_addresses_that_every_development_node_knows() -> None:
    assert {name: account.address for name, account in ACCOUNTS.items()} == {
        "bot": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "ada": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "ben": "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "mia": "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
        "olga": "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        "story": "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    }
