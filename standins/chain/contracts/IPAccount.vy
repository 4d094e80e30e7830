# pragma version 0.4.3
"""The account of an IP asset: it belongs to whoever holds the token that its code ends with."""

import protocol


@external
@view
def token() -> (uint256, address, uint256):
    return self._token()


@external
@view
def owner() -> address:
    chain_id: uint256 = 0
    collection: address = empty(address)
    token_id: uint256 = 0
    chain_id, collection, token_id = self._token()
    if chain_id != chain.id:
        return empty(address)
    return staticcall protocol.Collection(collection).ownerOf(token_id)


@external
@pure
def onERC721Received(operator: address, sender: address, tokenId: uint256, content: Bytes[1024]) -> bytes4:
    return method_id("onERC721Received(address,address,uint256,bytes)", output_type=bytes4)


@internal
@view
def _token() -> (uint256, address, uint256):
    proxy: address = self  # `self.code` would be the code that runs, which is not the proxy's
    footer: Bytes[96] = slice(proxy.code, 77, 96)  # after the minimal proxy (45 bytes) and the salt (32 bytes)
    return (
        extract32(footer, 0, output_type=uint256),
        extract32(footer, 32, output_type=address),
        extract32(footer, 64, output_type=uint256),
    )
