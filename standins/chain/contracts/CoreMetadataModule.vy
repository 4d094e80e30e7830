# pragma version 0.4.3
"""The metadata of IP assets. Only the holder of the token may set it: during a workflow that is the workflow."""

import protocol

event NFTTokenURISet:
    ipId: indexed(address)
    nftTokenURI: String[2 * protocol.URI]
    nftMetadataHash: bytes32

event MetadataURISet:
    ipId: indexed(address)
    metadataURI: String[protocol.URI]
    metadataHash: bytes32

metadataURI: public(HashMap[address, String[protocol.URI]])
metadataHash: public(HashMap[address, bytes32])
nftTokenURI: public(HashMap[address, String[2 * protocol.URI]])
nftMetadataHash: public(HashMap[address, bytes32])


@external
def setAll(ipId: address, metadataURI: String[protocol.URI], metadataHash: bytes32, nftMetadataHash: bytes32):
    if msg.sender != staticcall protocol.IPAccount(ipId).owner():
        raw_revert(
            abi_encode(
                ipId,
                msg.sender,
                self,
                method_id("setAll(address,string,bytes32,bytes32)", output_type=bytes4),
                method_id=method_id("AccessController__PermissionDenied(address,address,address,bytes4)"),
            )
        )
    chain_id: uint256 = 0
    collection: address = empty(address)
    token_id: uint256 = 0
    chain_id, collection, token_id = staticcall protocol.IPAccount(ipId).token()
    uri: String[2 * protocol.URI] = staticcall protocol.Collection(collection).tokenURI(token_id)
    self.nftTokenURI[ipId] = uri
    self.nftMetadataHash[ipId] = nftMetadataHash
    log NFTTokenURISet(ipId=ipId, nftTokenURI=uri, nftMetadataHash=nftMetadataHash)
    self.metadataURI[ipId] = metadataURI
    self.metadataHash[ipId] = metadataHash
    log MetadataURISet(ipId=ipId, metadataURI=metadataURI, metadataHash=metadataHash)
