# pragma version 0.4.3
"""Which licence terms IP assets have, and which are derived from which. Written to by the licensing module only."""

import protocol

MOST: constant(uint256) = 64

templates: HashMap[address, address]
attached: HashMap[address, DynArray[uint256, MOST]]
parents: HashMap[address, DynArray[address, protocol.PARENTS]]


@external
@view
def getDefaultLicenseTerms() -> (address, uint256):
    return protocol.PI_LICENSE_TEMPLATE, 1


@external
@view
def getAttachedLicenseTermsCount(ipId: address) -> uint256:
    return len(self.attached[ipId])


@external
@view
def getAttachedLicenseTerms(ipId: address, index: uint256) -> (address, uint256):
    self._check_index(ipId, index, len(self.attached[ipId]))
    return self.templates[ipId], self.attached[ipId][index]


@external
@view
def hasIpAttachedLicenseTerms(ipId: address, licenseTemplate: address, licenseTermsId: uint256) -> bool:
    return self._has(ipId, licenseTemplate, licenseTermsId)


@external
@view
def getParentIpCount(childIpId: address) -> uint256:
    return len(self.parents[childIpId])


@external
@view
def getParentIp(childIpId: address, index: uint256) -> address:
    self._check_index(childIpId, index, len(self.parents[childIpId]))
    return self.parents[childIpId][index]


@external
@view
def isDerivativeIp(childIpId: address) -> bool:
    return len(self.parents[childIpId]) > 0


@external
def attach(ipId: address, licenseTemplate: address, licenseTermsId: uint256):
    self._only_licensing_module()
    if len(self.parents[ipId]) > 0:
        raw_revert(method_id("LicensingModule__DerivativesCannotAddLicenseTerms()"))
    if licenseTemplate != protocol.PI_LICENSE_TEMPLATE or not staticcall protocol.Template(licenseTemplate).exists(
        licenseTermsId
    ):
        raw_revert(
            abi_encode(
                licenseTemplate,
                licenseTermsId,
                method_id=method_id("LicensingModule__LicenseTermsNotFound(address,uint256)"),
            )
        )
    if self._has(ipId, licenseTemplate, licenseTermsId):
        raw_revert(
            abi_encode(
                ipId,
                licenseTemplate,
                licenseTermsId,
                method_id=method_id("LicenseRegistry__LicenseTermsAlreadyAttached(address,address,uint256)"),
            )
        )
    self.templates[ipId] = licenseTemplate
    self.attached[ipId].append(licenseTermsId)


@external
def derive(
    childIpId: address,
    parentIpIds: DynArray[address, protocol.PARENTS],
    licenseTemplate: address,
    licenseTermsIds: DynArray[uint256, protocol.PARENTS],
):
    self._only_licensing_module()
    if len(self.attached[childIpId]) > 0:
        raw_revert(abi_encode(childIpId, method_id=method_id("LicenseRegistry__DerivativeIpAlreadyHasLicense(address)")))
    for index: uint256 in range(len(parentIpIds), bound=protocol.PARENTS):
        parent: address = parentIpIds[index]
        if not staticcall protocol.AssetRegistry(protocol.IP_ASSET_REGISTRY).isRegistered(parent):
            raw_revert(abi_encode(parent, method_id=method_id("LicenseRegistry__ParentIpNotRegistered(address)")))
        if parent == childIpId:
            raw_revert(abi_encode(parent, method_id=method_id("LicenseRegistry__DerivativeIsParent(address)")))
        # An asset without terms has no template either, so that not even the default terms can be derived from.
        if self.templates[parent] != licenseTemplate:
            raw_revert(
                abi_encode(
                    parent,
                    licenseTemplate,
                    method_id=method_id("LicenseRegistry__ParentIpUnmatchedLicenseTemplate(address,address)"),
                )
            )
        terms_id: uint256 = licenseTermsIds[index]
        if not self._has(parent, licenseTemplate, terms_id):
            raw_revert(
                abi_encode(
                    parent, terms_id, method_id=method_id("LicenseRegistry__ParentIpHasNoLicenseTerms(address,uint256)")
                )
            )
        if terms_id not in self.attached[childIpId]:
            self.attached[childIpId].append(terms_id)
        self.parents[childIpId].append(parent)
    self.templates[childIpId] = licenseTemplate


@internal
@view
def _has(ip_id: address, template: address, terms_id: uint256) -> bool:
    return self.templates[ip_id] == template and terms_id in self.attached[ip_id]


@internal
@view
def _only_licensing_module():
    if msg.sender != protocol.LICENSING_MODULE:
        raw_revert(method_id("LicenseRegistry__CallerNotLicensingModule()"))


@internal
@pure
def _check_index(ip_id: address, index: uint256, length: uint256):
    if index >= length:
        raw_revert(
            abi_encode(
                ip_id, index, length, method_id=method_id("LicenseRegistry__IndexOutOfBounds(address,uint256,uint256)")
            )
        )
