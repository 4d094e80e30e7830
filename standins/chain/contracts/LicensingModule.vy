# pragma version 0.4.3
"""Attaches licence terms to IP assets and makes derivatives. Only the holder of the token may ask for it."""

import protocol

event LicenseTermsAttached:
    caller: indexed(address)
    ipId: indexed(address)
    licenseTemplate: address
    licenseTermsId: uint256


@external
def attachDefaultLicenseTerms(ipId: address):
    self._only_holder(ipId, method_id("attachDefaultLicenseTerms(address)", output_type=bytes4))
    self._attach(ipId, protocol.PI_LICENSE_TEMPLATE, 1)


@external
def attachLicenseTerms(ipId: address, licenseTemplate: address, licenseTermsId: uint256):
    self._only_holder(ipId, method_id("attachLicenseTerms(address,address,uint256)", output_type=bytes4))
    self._attach(ipId, licenseTemplate, licenseTermsId)


@external
def registerDerivative(
    childIpId: address,
    parentIpIds: DynArray[address, protocol.PARENTS],
    licenseTermsIds: DynArray[uint256, protocol.PARENTS],
    licenseTemplate: address,
    royaltyContext: Bytes[protocol.BLOB],
    maxMintingFee: uint256,
    maxRts: uint32,
    maxRevenueShare: uint32,
):
    self._only_holder(
        childIpId,
        method_id("registerDerivative(address,address[],uint256[],address,bytes,uint256,uint32,uint32)", output_type=bytes4),
    )
    if len(parentIpIds) != len(licenseTermsIds):
        raw_revert(
            abi_encode(
                len(parentIpIds),
                len(licenseTermsIds),
                method_id=method_id("LicensingModule__LicenseTermsLengthMismatch(uint256,uint256)"),
            )
        )
    if len(parentIpIds) == 0:
        raw_revert(method_id("LicensingModule__NoParentIp()"))
    extcall protocol.Licences(protocol.LICENSE_REGISTRY).derive(childIpId, parentIpIds, licenseTemplate, licenseTermsIds)
    fees: uint256 = 0
    for index: uint256 in range(len(parentIpIds), bound=protocol.PARENTS):
        terms: protocol.PILTerms = staticcall protocol.Template(licenseTemplate).getLicenseTerms(licenseTermsIds[index])
        # Terms that pass on only themselves do not mix with others.
        mixed: bool = terms.derivativesReciprocal and licenseTermsIds[index] != licenseTermsIds[0]
        if not terms.derivativesAllowed or terms.derivativesApproval or mixed:
            raw_revert(
                abi_encode(
                    childIpId, method_id=method_id("LicensingModule__LicenseNotCompatibleForDerivative(address)")
                )
            )
        fees += terms.defaultMintingFee
        if maxMintingFee != 0 and fees > maxMintingFee:
            raw_revert(
                abi_encode(
                    fees,
                    maxMintingFee,
                    method_id=method_id("LicensingModule__MintingFeeExceedMaxMintingFee(uint256,uint256)"),
                )
            )
        if terms.defaultMintingFee > 0:
            # Story pays it into the parent's royalty vault; here the parent's own account stands for that.
            extcall protocol.Token(terms.currency).transferFrom(msg.sender, parentIpIds[index], terms.defaultMintingFee)


@internal
def _attach(ip_id: address, template: address, terms_id: uint256):
    extcall protocol.Licences(protocol.LICENSE_REGISTRY).attach(ip_id, template, terms_id)
    log LicenseTermsAttached(caller=msg.sender, ipId=ip_id, licenseTemplate=template, licenseTermsId=terms_id)


@internal
@view
def _only_holder(ip_id: address, called: bytes4):
    if msg.sender != staticcall protocol.IPAccount(ip_id).owner():
        raw_revert(
            abi_encode(
                ip_id,
                msg.sender,
                self,
                called,
                method_id=method_id("AccessController__PermissionDenied(address,address,address,bytes4)"),
            )
        )
