"""A collection on a chain, and what is registered in it: for the tests of the stand-ins of Story's contracts."""

from dataclasses import dataclass
from typing import Any

import pytest
from eth_utils.crypto import keccak

from standins.chain import ACCOUNTS, NOBODY, Account, contracts
from tests.scenes.chains import Client, RpcError

BOT, ADA, BEN = ACCOUNTS["bot"], ACCOUNTS["ada"], ACCOUNTS["ben"]
REGISTRATION = contracts()["RegistrationWorkflows"]
ATTACHMENT = contracts()["LicenseAttachmentWorkflows"]
DERIVATIVE = contracts()["DerivativeWorkflows"]
COLLECTION = contracts()["SPGNFT"]
REGISTRY = contracts()["IPAssetRegistry"]
METADATA = contracts()["CoreMetadataModule"]
VIEW = contracts()["CoreMetadataViewModule"]
LICENSES = contracts()["LicenseRegistry"]
TEMPLATE = contracts()["PILicenseTemplate"]
LICENSING = contracts()["LicensingModule"]
WIP = contracts()["WIP"]

LAP = "0xBe54FB168b3c982b7AaE60dB6CF75Bd8447b390E"
ETHER = 10**18
LONG = "https://ipfs.io/ipfs/bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
NO_CONFIG = (False, 0, NOBODY, b"", 0, False, 0, NOBODY)
DOCUMENTS = "https://github.com/piplabs/pil-document/blob/"


def metadata(number: int, uri: str = LONG) -> tuple[str, bytes, str, bytes]:
    return f"{uri}/ip", bytes([number] * 32), f"{uri}/nft", bytes([255 - number] * 32)


def remix(*, fee: int = 0, share: int = 5_000_000, **changed: Any) -> tuple[Any, ...]:
    """Commercial remix; 5 % is five million on the chain."""
    terms = {
        "transferable": True, "royaltyPolicy": LAP, "defaultMintingFee": fee, "expiration": 0, "commercialUse": True,
        "commercialAttribution": True, "commercializerChecker": NOBODY, "commercializerCheckerData": b"",
        "commercialRevShare": share, "commercialRevCeiling": 0, "derivativesAllowed": True,
        "derivativesAttribution": True, "derivativesApproval": False, "derivativesReciprocal": True,
        "derivativeRevCeiling": 0, "currency": WIP.address, "uri": DOCUMENTS + "remix.json",
    }  # fmt: skip
    return tuple({**terms, **changed}.values())


@dataclass
class Scene:
    """A private collection of the bot's."""

    client: Client
    collection: str

    def minted(self, number: int, *, to: str = ADA.address, duplicates: bool = False) -> bytes:
        return REGISTRATION.call("mintAndRegisterIp", self.collection, to, metadata(number), duplicates)

    def derived(self, number: int, parents: list[str], terms: list[int], **limits: Any) -> bytes:
        derivative = (parents, TEMPLATE.address, terms, b"", limits.get("fee", 0), 100_000_000, 100_000_000)
        return DERIVATIVE.call(
            "mintAndRegisterIpAndMakeDerivative", self.collection, derivative, metadata(number), ADA.address, False
        )

    def with_terms(self, number: int, *terms: tuple[Any, ...]) -> bytes:
        given = [(each, NO_CONFIG) for each in terms]
        return ATTACHMENT.call(
            "mintAndRegisterIpAndAttachPILTerms", self.collection, ADA.address, metadata(number), given, False
        )

    async def done(self, to: str, call: bytes, *, by: Account = BOT) -> Any:
        """The receipt of a transaction that went well."""
        receipt = await self.client.mined(await self.client.send(by, to, call))
        assert receipt["status"] == "0x1"
        return receipt

    async def refused(self, to: str, call: bytes, *, by: Account = BOT) -> str:
        """What an estimate reverts with."""
        request = {"from": by.address, "to": to, "data": "0x" + call.hex()}
        with pytest.raises(RpcError) as raised:
            await self.client.ask("eth_estimateGas", request)
        assert raised.value.code == 3
        assert "execution reverted" in raised.value.message
        return raised.value.data or ""

    async def read(self, function: str, *arguments: Any) -> Any:
        """Of the collection."""
        return await self.client.call(COLLECTION, function, *arguments, at=self.collection)


def params(**changed: Any) -> tuple[Any, ...]:
    given = {
        "name": "Fox pictures", "symbol": "FOX", "baseURI": "", "contractURI": "ipfs://contract", "maxSupply": 1000,
        "mintFee": 0, "mintFeeToken": NOBODY, "mintFeeRecipient": NOBODY, "owner": BOT.address, "mintOpen": True,
        "isPublicMinting": False,
    }  # fmt: skip
    return tuple({**given, **changed}.values())


async def open_collection(client: Client, **changed: Any) -> Scene:
    """A new collection of the bot's, private unless told."""
    hash_ = await client.send(BOT, REGISTRATION.address, REGISTRATION.call("createCollection", params(**changed)))
    receipt = await client.mined(hash_)
    assert receipt["status"] == "0x1"
    [created] = [log for log in receipt["logs"] if log["address"].lower() == REGISTRATION.address.lower()]
    return Scene(client, "0x" + created["topics"][1][-40:])


def selector(error: str) -> str:
    return "0x" + keccak(text=error)[:4].hex()


def topic(address: str) -> str:
    return "0x" + address[2:].lower().rjust(64, "0")
