"""Licence terms and derivatives on the stand-ins behave as on Story, on the sandbox's chain and on anvil alike."""

from typing import Any

import pytest

from standins.chain import NCSR, NOBODY, ip_id
from tests.scenes.chain import (
    ADA,
    ATTACHMENT,
    BEN,
    BOT,
    COLLECTION,
    DERIVATIVE,
    ETHER,
    LICENSES,
    LICENSING,
    METADATA,
    REGISTRATION,
    TEMPLATE,
    VIEW,
    WIP,
    Scene,
    metadata,
    open_collection,
    remix,
    selector,
    topic,
)
from tests.scenes.chains import Client


@pytest.fixture
async def scene(client: Client) -> Scene:
    return await open_collection(client)


async def test_terms_number_one_are_non_commercial_social_remixing(client: Client) -> None:
    assert await client.call(LICENSES, "getDefaultLicenseTerms") == (TEMPLATE.address.lower(), 1)
    assert await client.call(TEMPLATE, "getLicenseTermsId", NCSR) == 1
    assert await client.call(TEMPLATE, "getLicenseTerms", 1) == NCSR
    twenty_zeros = (*NCSR[:7], bytes(20), *NCSR[8:])  # what the SDKs send, and why they do not get number one
    assert await client.call(TEMPLATE, "getLicenseTermsId", twenty_zeros) == 0


async def test_default_terms_are_attached_in_the_same_transaction(scene: Scene) -> None:
    call = ATTACHMENT.call("mintAndRegisterIpAndAttachDefaultTerms", scene.collection, ADA.address, metadata(1), False)
    receipt = await scene.done(ATTACHMENT.address, call)

    ip = ip_id(scene.collection, 1)
    assert receipt["logs"][-2]["topics"] == [
        "0xb8d0577f110d8cf9f2c63ba14b0511362a85865bf03ea4f1c8a10ddc490244c7",
        topic(ATTACHMENT.address),
        topic(ip),
    ]
    assert await scene.client.call(LICENSES, "getAttachedLicenseTermsCount", ip) == 1
    assert await scene.client.call(LICENSES, "getAttachedLicenseTerms", ip, 0) == (TEMPLATE.address.lower(), 1)
    assert await scene.client.call(LICENSES, "hasIpAttachedLicenseTerms", ip, TEMPLATE.address, 1) is True


async def test_the_same_terms_have_the_same_number_for_everybody(scene: Scene) -> None:
    first = await scene.done(ATTACHMENT.address, scene.with_terms(1, remix()))
    second = await scene.done(ATTACHMENT.address, scene.with_terms(2, remix(), NCSR, remix()))

    registered = "0xc0cd215d0b608421b2e8018c8113a4b008ea0c6044fbc739df6dc79c3b4c42b8"
    assert registered in {log["topics"][0] for log in first["logs"]}
    assert registered not in {log["topics"][0] for log in second["logs"]}
    number = await scene.client.call(TEMPLATE, "getLicenseTermsId", remix())
    attached = [
        await scene.client.call(LICENSES, "getAttachedLicenseTerms", ip_id(scene.collection, 2), index)
        for index in range(2)
    ]
    assert attached == [(TEMPLATE.address.lower(), number), (TEMPLATE.address.lower(), 1)]


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        (remix(currency=NOBODY), "PILicenseTemplate__RoyaltyPolicyRequiresCurrencyToken()"),
        (remix(currency=BEN.address), "PILicenseTemplate__CurrencyTokenNotWhitelisted()"),
        (remix(royaltyPolicy=BEN.address), "PILicenseTemplate__RoyaltyPolicyNotWhitelisted()"),
        (remix(royaltyPolicy=NOBODY), "PILicenseTemplate__CommercialEnabled_RoyaltyPolicyRequired()"),
        (remix(commercialUse=False), "PILicenseTemplate__CommercialDisabled_CantAddAttribution()"),
        (remix(derivativesAllowed=False), "PILicenseTemplate__DerivativesDisabled_CantAddAttribution()"),
    ],
)
async def test_terms_that_contradict_themselves_are_refused(scene: Scene, terms: tuple[Any, ...], error: str) -> None:
    answer = await scene.refused(ATTACHMENT.address, scene.with_terms(1, terms))

    assert answer == selector(error)


async def test_no_terms_at_all_are_an_error(scene: Scene) -> None:
    assert await scene.refused(ATTACHMENT.address, scene.with_terms(1)) == "0xa70dd810"


async def test_a_derivative_names_its_parent_and_inherits_its_terms(scene: Scene) -> None:
    await scene.done(ATTACHMENT.address, scene.with_terms(1, NCSR))
    parent, child = ip_id(scene.collection, 1), ip_id(scene.collection, 2)
    await scene.done(DERIVATIVE.address, scene.derived(2, [parent], [1]))

    client = scene.client
    assert await client.call(LICENSES, "isDerivativeIp", child) is True
    assert await client.call(LICENSES, "getParentIpCount", child) == 1
    assert await client.call(LICENSES, "getParentIp", child, 0) == parent.lower()
    assert await client.call(LICENSES, "getAttachedLicenseTerms", child, 0) == (TEMPLATE.address.lower(), 1)
    assert await client.call(LICENSES, "isDerivativeIp", parent) is False


async def test_a_parent_has_to_be_registered_with_those_terms_and_allow_derivatives(scene: Scene) -> None:
    await scene.done(REGISTRATION.address, scene.minted(1))
    closed = remix(
        derivativesAllowed=False, derivativesAttribution=False, derivativesReciprocal=False, uri="no-derivatives"
    )
    await scene.done(ATTACHMENT.address, scene.with_terms(2, closed))
    number = await scene.client.call(TEMPLATE, "getLicenseTermsId", closed)
    bare, exclusive, nothing = (ip_id(scene.collection, each) for each in (1, 2, 99))

    assert (await scene.refused(DERIVATIVE.address, scene.derived(9, [nothing], [1]))).startswith("0x14729b17")
    assert (await scene.refused(DERIVATIVE.address, scene.derived(9, [bare], [1]))).startswith("0x9b466333")
    assert (await scene.refused(DERIVATIVE.address, scene.derived(9, [exclusive], [1]))).startswith("0xf0b37d2f")
    assert (await scene.refused(DERIVATIVE.address, scene.derived(9, [exclusive], [number]))).startswith("0x4f7460bc")


async def test_the_licences_minting_fee_is_pulled_from_the_caller_by_the_workflow(scene: Scene) -> None:
    await scene.done(ATTACHMENT.address, scene.with_terms(1, remix(fee=ETHER)))
    number = await scene.client.call(TEMPLATE, "getLicenseTermsId", remix(fee=ETHER))
    parent = ip_id(scene.collection, 1)
    assert await scene.refused(DERIVATIVE.address, scene.derived(2, [parent], [number])) == "0x13be252b"

    await scene.client.mined(await scene.client.send(BOT, WIP.address, WIP.call("deposit"), value=ETHER))
    await scene.done(WIP.address, WIP.call("approve", DERIVATIVE.address, ETHER))
    too_dear = await scene.refused(DERIVATIVE.address, scene.derived(2, [parent], [number], fee=ETHER - 1))
    assert too_dear.startswith(selector("LicensingModule__MintingFeeExceedMaxMintingFee(uint256,uint256)"))
    await scene.done(DERIVATIVE.address, scene.derived(2, [parent], [number]))
    assert await scene.client.call(WIP, "balanceOf", BOT.address) == 0


async def test_after_the_transfer_only_the_holder_changes_an_asset(scene: Scene) -> None:
    await scene.done(REGISTRATION.address, scene.minted(1))
    attach = LICENSING.call("attachLicenseTerms", ip_id(scene.collection, 1), TEMPLATE.address, 1)

    denied = await scene.refused(LICENSING.address, attach, by=BOT)
    assert denied.startswith(selector("AccessController__PermissionDenied(address,address,address,bytes4)"))
    rewrite = METADATA.call("setAll", ip_id(scene.collection, 1), "ipfs://other", bytes(32), bytes(32))
    assert (await scene.refused(METADATA.address, rewrite, by=BOT)).startswith(denied[:10])
    await scene.done(LICENSING.address, attach, by=ADA)
    await scene.done(METADATA.address, rewrite, by=ADA)

    await scene.done(scene.collection, COLLECTION.call("transferFrom", ADA.address, BEN.address, 1), by=ADA)
    assert await scene.client.call(VIEW, "getOwner", ip_id(scene.collection, 1)) == BEN.address.lower()
