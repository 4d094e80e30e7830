# pragma version 0.4.3

import protocol

struct CoreMetadata:
    nftTokenURI: String[2 * protocol.URI]
    nftMetadataHash: bytes32
    metadataURI: String[protocol.URI]
    metadataHash: bytes32
    registrationDate: uint256
    owner: address


@external
@view
def getCoreMetadata(ipId: address) -> CoreMetadata:
    return CoreMetadata(
        nftTokenURI=self._nft_token_uri(ipId),
        nftMetadataHash=self._nft_metadata_hash(ipId),
        metadataURI=self._metadata_uri(ipId),
        metadataHash=self._metadata_hash(ipId),
        registrationDate=self._registration_date(ipId),
        owner=self._owner(ipId),
    )


@external
@view
def getMetadataURI(ipId: address) -> String[protocol.URI]:
    return self._metadata_uri(ipId)


@external
@view
def getMetadataHash(ipId: address) -> bytes32:
    return self._metadata_hash(ipId)


@external
@view
def getNftTokenURI(ipId: address) -> String[2 * protocol.URI]:
    return self._nft_token_uri(ipId)


@external
@view
def getNftMetadataHash(ipId: address) -> bytes32:
    return self._nft_metadata_hash(ipId)


@external
@view
def getRegistrationDate(ipId: address) -> uint256:
    return self._registration_date(ipId)


@external
@view
def getOwner(ipId: address) -> address:
    return self._owner(ipId)


@internal
@view
def _metadata_uri(ip_id: address) -> String[protocol.URI]:
    return staticcall protocol.Metadata(protocol.CORE_METADATA_MODULE).metadataURI(ip_id)


@internal
@view
def _metadata_hash(ip_id: address) -> bytes32:
    return staticcall protocol.Metadata(protocol.CORE_METADATA_MODULE).metadataHash(ip_id)


@internal
@view
def _nft_token_uri(ip_id: address) -> String[2 * protocol.URI]:
    return staticcall protocol.Metadata(protocol.CORE_METADATA_MODULE).nftTokenURI(ip_id)


@internal
@view
def _nft_metadata_hash(ip_id: address) -> bytes32:
    return staticcall protocol.Metadata(protocol.CORE_METADATA_MODULE).nftMetadataHash(ip_id)


@internal
@view
def _registration_date(ip_id: address) -> uint256:
    return staticcall protocol.AssetRegistry(protocol.IP_ASSET_REGISTRY).registrationDate(ip_id)


@internal
@view
def _owner(ip_id: address) -> address:
    return staticcall protocol.IPAccount(ip_id).owner()
