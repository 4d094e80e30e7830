# pragma version 0.4.3

import minting
import protocol

exports: minting.multicall


@external
def mintAndRegisterIpAndAttachDefaultTerms(
    spgNftContract: address, recipient: address, ipMetadata: protocol.IPMetadata, allowDuplicates: bool
) -> (address, uint256):
    ip_id: address = empty(address)
    token_id: uint256 = 0
    ip_id, token_id = minting._mint_and_register(spgNftContract, ipMetadata, allowDuplicates)
    extcall protocol.Licensing(protocol.LICENSING_MODULE).attachDefaultLicenseTerms(ip_id)
    minting._hand_over(spgNftContract, recipient, token_id)
    return ip_id, token_id


@external
def mintAndRegisterIpAndAttachPILTerms(
    spgNftContract: address,
    recipient: address,
    ipMetadata: protocol.IPMetadata,
    licenseTermsData: DynArray[protocol.LicenseTermsData, protocol.TERMS],
    allowDuplicates: bool,
) -> (address, uint256, DynArray[uint256, protocol.TERMS]):
    if len(licenseTermsData) == 0:
        raw_revert(method_id("LicenseAttachmentWorkflows__NoLicenseTermsData()"))
    ip_id: address = empty(address)
    token_id: uint256 = 0
    ip_id, token_id = minting._mint_and_register(spgNftContract, ipMetadata, allowDuplicates)
    terms_ids: DynArray[uint256, protocol.TERMS] = []
    for given: protocol.LicenseTermsData in licenseTermsData:
        terms_id: uint256 = extcall protocol.Template(protocol.PI_LICENSE_TEMPLATE).registerLicenseTerms(given.terms)
        # The same terms twice are attached once; the real workflow passes over that error, too.
        if terms_id not in terms_ids:
            extcall protocol.Licensing(protocol.LICENSING_MODULE).attachLicenseTerms(
                ip_id, protocol.PI_LICENSE_TEMPLATE, terms_id
            )
        terms_ids.append(terms_id)
    minting._hand_over(spgNftContract, recipient, token_id)
    return ip_id, token_id, terms_ids
