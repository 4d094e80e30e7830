# pragma version 0.4.3

import minting
import protocol

exports: minting.multicall


@external
def mintAndRegisterIpAndMakeDerivative(
    spgNftContract: address,
    derivData: protocol.MakeDerivative,
    ipMetadata: protocol.IPMetadata,
    recipient: address,
    allowDuplicates: bool,
) -> (address, uint256):
    ip_id: address = empty(address)
    token_id: uint256 = 0
    ip_id, token_id = minting._mint_and_register(spgNftContract, ipMetadata, allowDuplicates)
    self._collect_minting_fees(derivData)
    extcall protocol.Licensing(protocol.LICENSING_MODULE).registerDerivative(
        ip_id,
        derivData.parentIpIds,
        derivData.licenseTermsIds,
        derivData.licenseTemplate,
        derivData.royaltyContext,
        derivData.maxMintingFee,
        derivData.maxRts,
        derivData.maxRevenueShare,
    )
    minting._hand_over(spgNftContract, recipient, token_id)
    return ip_id, token_id


@internal
def _collect_minting_fees(given: protocol.MakeDerivative):
    # From the caller, who has approved this workflow, not the collection.
    for index: uint256 in range(len(given.licenseTermsIds), bound=protocol.PARENTS):
        terms_id: uint256 = given.licenseTermsIds[index]
        if not staticcall protocol.Template(protocol.PI_LICENSE_TEMPLATE).exists(terms_id):
            continue  # the licensing module says so
        terms: protocol.PILTerms = staticcall protocol.Template(protocol.PI_LICENSE_TEMPLATE).getLicenseTerms(terms_id)
        if terms.defaultMintingFee > 0:
            extcall protocol.Token(terms.currency).transferFrom(msg.sender, self, terms.defaultMintingFee)
            extcall protocol.Token(terms.currency).approve(protocol.LICENSING_MODULE, terms.defaultMintingFee)
