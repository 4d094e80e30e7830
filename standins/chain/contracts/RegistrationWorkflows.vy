# pragma version 0.4.3

import minting
import protocol

exports: minting.multicall

event CollectionCreated:
    spgNftContract: indexed(address)


@external
def createCollection(spgNftInitParams: protocol.InitParams) -> address:
    collection: address = create_minimal_proxy_to(protocol.SPG_NFT)
    extcall protocol.Collection(collection).initialize(spgNftInitParams)
    log CollectionCreated(spgNftContract=collection)
    return collection


@external
def mintAndRegisterIp(
    spgNftContract: address, recipient: address, ipMetadata: protocol.IPMetadata, allowDuplicates: bool
) -> (address, uint256):
    ip_id: address = empty(address)
    token_id: uint256 = 0
    ip_id, token_id = minting._mint_and_register(spgNftContract, ipMetadata, allowDuplicates)
    minting._hand_over(spgNftContract, recipient, token_id)
    return ip_id, token_id
