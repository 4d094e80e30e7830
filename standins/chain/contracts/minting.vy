# pragma version 0.4.3
"""What the workflows share: mint into the workflow's own hands, register as IP, set the metadata; then hand over."""

import protocol


@internal
def _mint_and_register(
    collection: address, metadata: protocol.IPMetadata, allow_duplicates: bool
) -> (address, uint256):
    minter: bool = staticcall protocol.Collection(collection).hasRole(protocol.MINTER_ROLE, msg.sender)
    if not minter and not staticcall protocol.Collection(collection).publicMinting():
        raw_revert(method_id("Workflow__CallerNotAuthorizedToMint()"))
    token_id: uint256 = extcall protocol.Collection(collection).mintByPeriphery(
        self, msg.sender, metadata.nftMetadataURI, metadata.nftMetadataHash, allow_duplicates
    )
    ip_id: address = extcall protocol.AssetRegistry(protocol.IP_ASSET_REGISTRY).register(chain.id, collection, token_id)
    if metadata.ipMetadataHash != empty(bytes32) or len(metadata.ipMetadataURI) > 0 or metadata.nftMetadataHash != empty(bytes32):
        extcall protocol.Metadata(protocol.CORE_METADATA_MODULE).setAll(
            ip_id, metadata.ipMetadataURI, metadata.ipMetadataHash, metadata.nftMetadataHash
        )
    return ip_id, token_id


@internal
def _hand_over(collection: address, recipient: address, token_id: uint256):
    extcall protocol.Collection(collection).safeTransferFrom(self, recipient, token_id, b"")


@external
@payable
def multicall(calls: DynArray[Bytes[4096], 30]) -> DynArray[Bytes[512], 30]:
    """
    @notice Several calls in one transaction; one that reverts reverts all. The caller stays who it is.
    """
    results: DynArray[Bytes[512], 30] = []
    for call: Bytes[4096] in calls:
        results.append(raw_call(self, call, max_outsize=512, is_delegate_call=True))
    return results
