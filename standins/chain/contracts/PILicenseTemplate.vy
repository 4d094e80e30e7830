# pragma version 0.4.3
"""The Programmable IP License: terms are for everybody, and the same terms have the same number."""

import protocol

event LicenseTermsRegistered:
    licenseTermsId: indexed(uint256)
    licenseTemplate: indexed(address)
    licenseTerms: Bytes[4096]

totalRegisteredLicenseTerms: public(uint256)
terms: HashMap[uint256, protocol.PILTerms]
ids: HashMap[bytes32, uint256]


@external
@view
def getLicenseTerms(selectedLicenseTermsId: uint256) -> protocol.PILTerms:
    return self.terms[selectedLicenseTermsId]


@external
@view
def getLicenseTermsId(terms: protocol.PILTerms) -> uint256:
    return self.ids[keccak256(abi_encode(terms))]


@external
@view
def exists(licenseTermsId: uint256) -> bool:
    return 0 < licenseTermsId and licenseTermsId <= self.totalRegisteredLicenseTerms


@external
def registerLicenseTerms(terms: protocol.PILTerms) -> uint256:
    self._check_royalties(terms)
    self._check_commercial_use(terms)
    self._check_derivatives(terms)
    encoded: Bytes[4096] = abi_encode(terms)
    key: bytes32 = keccak256(encoded)
    known: uint256 = self.ids[key]
    if known != 0:
        return known
    self.totalRegisteredLicenseTerms += 1
    id: uint256 = self.totalRegisteredLicenseTerms
    self.terms[id] = terms
    self.ids[key] = id
    log LicenseTermsRegistered(licenseTermsId=id, licenseTemplate=self, licenseTerms=encoded)
    return id


@internal
@pure
def _check_royalties(terms: protocol.PILTerms):
    if terms.royaltyPolicy == empty(address):
        if terms.defaultMintingFee > 0:
            raw_revert(method_id("PILicenseTemplate__MintingFeeRequiresRoyaltyPolicy()"))
    else:
        if terms.royaltyPolicy not in [protocol.ROYALTY_POLICY_LAP, protocol.ROYALTY_POLICY_LRP]:
            raw_revert(method_id("PILicenseTemplate__RoyaltyPolicyNotWhitelisted()"))
        if terms.currency == empty(address):
            raw_revert(method_id("PILicenseTemplate__RoyaltyPolicyRequiresCurrencyToken()"))
    if terms.currency not in [empty(address), protocol.WIP]:
        raw_revert(method_id("PILicenseTemplate__CurrencyTokenNotWhitelisted()"))


@internal
@pure
def _check_commercial_use(terms: protocol.PILTerms):
    if terms.commercialUse:
        if terms.royaltyPolicy == empty(address):
            raw_revert(method_id("PILicenseTemplate__CommercialEnabled_RoyaltyPolicyRequired()"))
        return
    if terms.commercialAttribution:
        raw_revert(method_id("PILicenseTemplate__CommercialDisabled_CantAddAttribution()"))
    if terms.commercializerChecker != empty(address):
        raw_revert(method_id("PILicenseTemplate__CommercialDisabled_CantAddCommercializers()"))
    if terms.commercialRevShare > 0:
        raw_revert(method_id("PILicenseTemplate__CommercialDisabled_CantAddRevShare()"))
    if terms.royaltyPolicy != empty(address):
        raw_revert(method_id("PILicenseTemplate__CommercialDisabled_CantAddRoyaltyPolicy()"))


@internal
@pure
def _check_derivatives(terms: protocol.PILTerms):
    if terms.derivativesAllowed:
        return
    if terms.derivativesAttribution:
        raw_revert(method_id("PILicenseTemplate__DerivativesDisabled_CantAddAttribution()"))
    if terms.derivativesApproval:
        raw_revert(method_id("PILicenseTemplate__DerivativesDisabled_CantAddApproval()"))
    if terms.derivativesReciprocal:
        raw_revert(method_id("PILicenseTemplate__DerivativesDisabled_CantAddReciprocal()"))
