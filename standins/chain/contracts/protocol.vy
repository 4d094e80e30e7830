# pragma version 0.4.3
"""
Where Story's contracts are (the same on its test network and its main one), the structs that they take, and what the
stand-ins ask of each other. The stand-ins are written from the interface alone.
"""

REGISTRATION_WORKFLOWS: constant(address) = 0xbe39E1C756e921BD25DF86e7AAa31106d1eb0424
LICENSE_ATTACHMENT_WORKFLOWS: constant(address) = 0xcC2E862bCee5B6036Db0de6E06Ae87e524a79fd8
DERIVATIVE_WORKFLOWS: constant(address) = 0x9e2d496f72C547C2C535B167e06ED8729B374a4f
IP_ASSET_REGISTRY: constant(address) = 0x77319B4031e6eF1250907aa00018B8B1c67a244b
CORE_METADATA_MODULE: constant(address) = 0x6E81a25C99C6e8430aeC7353325EB138aFE5DC16
LICENSING_MODULE: constant(address) = 0x04fbd8a2e56dd85CFD5500A4A4DfA955B9f1dE6f
LICENSE_REGISTRY: constant(address) = 0x529a750E02d8E2f15649c13D69a465286a780e24
PI_LICENSE_TEMPLATE: constant(address) = 0x2E896b0b2Fdb7457499B56AAaA4AE55BCB4Cd316
ROYALTY_POLICY_LAP: constant(address) = 0xBe54FB168b3c982b7AaE60dB6CF75Bd8447b390E
ROYALTY_POLICY_LRP: constant(address) = 0x9156e603C949481883B1d3355c6f1132D191fC41
WIP: constant(address) = 0x1514000000000000000000000000000000000000
ERC6551_REGISTRY: constant(address) = 0x000000006551c19487814612e58FE06813775758
IP_ACCOUNT: constant(address) = 0x00b800138e4D82D1eea48b414d2a2A8Aee9A33b1
SPG_NFT: constant(address) = 0xD2926B9ecaE85fF59B6FB0ff02f568a680c01218  # where Story keeps the beacon of its collections

# Not keccak256("MINTER_ROLE"), as elsewhere: Story's SPGNFTLib gives it the number one.
MINTER_ROLE: constant(bytes32) = 0x0000000000000000000000000000000000000000000000000000000000000001
ADMIN_ROLE: constant(bytes32) = empty(bytes32)

# How long texts and lists may be. The real contracts have no such bounds, Vyper wants some.
URI: constant(uint256) = 1024
BLOB: constant(uint256) = 256
TERMS: constant(uint256) = 4  # licence terms in one registration
PARENTS: constant(uint256) = 16


struct InitParams:
    name: String[128]
    symbol: String[64]
    baseURI: String[URI]
    contractURI: String[URI]
    maxSupply: uint32
    mintFee: uint256
    mintFeeToken: address
    mintFeeRecipient: address
    owner: address
    mintOpen: bool
    isPublicMinting: bool


struct IPMetadata:
    ipMetadataURI: String[URI]
    ipMetadataHash: bytes32
    nftMetadataURI: String[URI]
    nftMetadataHash: bytes32


struct PILTerms:
    transferable: bool
    royaltyPolicy: address
    defaultMintingFee: uint256
    expiration: uint256
    commercialUse: bool
    commercialAttribution: bool
    commercializerChecker: address
    commercializerCheckerData: Bytes[BLOB]
    commercialRevShare: uint32
    commercialRevCeiling: uint256
    derivativesAllowed: bool
    derivativesAttribution: bool
    derivativesApproval: bool
    derivativesReciprocal: bool
    derivativeRevCeiling: uint256
    currency: address
    uri: String[URI]


struct LicensingConfig:
    isSet: bool
    mintingFee: uint256
    licensingHook: address
    hookData: Bytes[BLOB]
    commercialRevShare: uint32
    disabled: bool
    expectMinimumGroupRewardShare: uint32
    expectGroupRewardPool: address


struct LicenseTermsData:
    terms: PILTerms
    licensingConfig: LicensingConfig


struct MakeDerivative:
    parentIpIds: DynArray[address, PARENTS]
    licenseTemplate: address
    licenseTermsIds: DynArray[uint256, PARENTS]
    royaltyContext: Bytes[BLOB]
    maxMintingFee: uint256
    maxRts: uint32
    maxRevenueShare: uint32


interface Collection:
    def initialize(params: InitParams): nonpayable
    def name() -> String[128]: view
    def hasRole(role: bytes32, account: address) -> bool: view
    def publicMinting() -> bool: view
    def mintByPeriphery(
        to: address, payer: address, nftMetadataURI: String[URI], nftMetadataHash: bytes32, allowDuplicates: bool
    ) -> uint256: nonpayable
    def ownerOf(tokenId: uint256) -> address: view
    def tokenURI(tokenId: uint256) -> String[2 * URI]: view
    def safeTransferFrom(sender: address, to: address, tokenId: uint256, content: Bytes[URI]): nonpayable


interface AccountRegistry:
    def createAccount(
        implementation: address, salt: bytes32, chainId: uint256, tokenContract: address, tokenId: uint256
    ) -> address: nonpayable
    def account(
        implementation: address, salt: bytes32, chainId: uint256, tokenContract: address, tokenId: uint256
    ) -> address: view


interface IPAccount:
    def owner() -> address: view
    def token() -> (uint256, address, uint256): view


interface AssetRegistry:
    def register(chainId: uint256, tokenContract: address, tokenId: uint256) -> address: nonpayable
    def isRegistered(id: address) -> bool: view
    def registrationDate(id: address) -> uint256: view


interface Metadata:
    def setAll(ipId: address, metadataURI: String[URI], metadataHash: bytes32, nftMetadataHash: bytes32): nonpayable
    def metadataURI(ipId: address) -> String[URI]: view
    def metadataHash(ipId: address) -> bytes32: view
    def nftTokenURI(ipId: address) -> String[2 * URI]: view
    def nftMetadataHash(ipId: address) -> bytes32: view


interface Licensing:
    def attachDefaultLicenseTerms(ipId: address): nonpayable
    def attachLicenseTerms(ipId: address, licenseTemplate: address, licenseTermsId: uint256): nonpayable
    def registerDerivative(
        childIpId: address, parentIpIds: DynArray[address, PARENTS], licenseTermsIds: DynArray[uint256, PARENTS],
        licenseTemplate: address, royaltyContext: Bytes[BLOB], maxMintingFee: uint256, maxRts: uint32,
        maxRevenueShare: uint32,
    ): nonpayable


interface Licences:
    def attach(ipId: address, licenseTemplate: address, licenseTermsId: uint256): nonpayable
    def derive(
        childIpId: address, parentIpIds: DynArray[address, PARENTS], licenseTemplate: address,
        licenseTermsIds: DynArray[uint256, PARENTS]
    ): nonpayable
    def hasIpAttachedLicenseTerms(ipId: address, licenseTemplate: address, licenseTermsId: uint256) -> bool: view


interface Template:
    def registerLicenseTerms(terms: PILTerms) -> uint256: nonpayable
    def getLicenseTerms(selectedLicenseTermsId: uint256) -> PILTerms: view
    def exists(licenseTermsId: uint256) -> bool: view


interface Token:
    def transferFrom(sender: address, to: address, amount: uint256) -> bool: nonpayable
    def transfer(to: address, amount: uint256) -> bool: nonpayable
    def approve(spender: address, amount: uint256) -> bool: nonpayable
