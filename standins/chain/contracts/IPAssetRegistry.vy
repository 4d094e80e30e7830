# pragma version 0.4.3

import protocol

event IPAccountRegistered:
    account: indexed(address)
    implementation: indexed(address)
    chainId: indexed(uint256)
    tokenContract: address
    tokenId: uint256

event IPRegistered:
    ipId: address
    chainId: indexed(uint256)
    tokenContract: indexed(address)
    tokenId: indexed(uint256)
    name: String[512]
    uri: String[2 * protocol.URI]
    registrationDate: uint256

paused: public(bool)
totalSupply: public(uint256)
registrationDate: public(HashMap[address, uint256])


@external
@view
def isRegistered(id: address) -> bool:
    return self.registrationDate[id] != 0


@external
@view
def ipId(chainId: uint256, tokenContract: address, tokenId: uint256) -> address:
    return staticcall protocol.AccountRegistry(protocol.ERC6551_REGISTRY).account(
        protocol.IP_ACCOUNT, empty(bytes32), chainId, tokenContract, tokenId
    )


@external
def register(chainId: uint256, tokenContract: address, tokenId: uint256) -> address:
    if self.paused:
        raw_revert(method_id("EnforcedPause()"))
    id: address = extcall protocol.AccountRegistry(protocol.ERC6551_REGISTRY).createAccount(
        protocol.IP_ACCOUNT, empty(bytes32), chainId, tokenContract, tokenId
    )
    if self.registrationDate[id] != 0:
        raw_revert(method_id("IPAssetRegistry__AlreadyRegistered()"))
    log IPAccountRegistered(
        account=id,
        implementation=protocol.IP_ACCOUNT,
        chainId=chainId,
        tokenContract=tokenContract,
        tokenId=tokenId,
    )
    collection: String[128] = staticcall protocol.Collection(tokenContract).name()
    self.registrationDate[id] = block.timestamp
    self.totalSupply += 1
    log IPRegistered(
        ipId=id,
        chainId=chainId,
        tokenContract=tokenContract,
        tokenId=tokenId,
        name=concat(uint2str(chainId), ": ", collection, " #", uint2str(tokenId)),
        uri=staticcall protocol.Collection(tokenContract).tokenURI(tokenId),
        registrationDate=block.timestamp,
    )
    return id
