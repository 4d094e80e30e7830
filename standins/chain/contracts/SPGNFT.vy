# pragma version 0.4.3
"""A collection. createCollection makes a minimal proxy to this one."""

import protocol

event Transfer:
    sender: indexed(address)
    to: indexed(address)
    tokenId: indexed(uint256)

event Approval:
    owner: indexed(address)
    approved: indexed(address)
    tokenId: indexed(uint256)

event MetadataUpdate:
    tokenId: uint256

event RoleGranted:
    role: indexed(bytes32)
    account: indexed(address)
    sender: indexed(address)

interface Receiver:
    def onERC721Received(operator: address, sender: address, tokenId: uint256, content: Bytes[1024]) -> bytes4: nonpayable

name: public(String[128])
symbol: public(String[64])
baseURI: public(String[protocol.URI])
contractURI: public(String[protocol.URI])
mintFee: public(uint256)
mintFeeToken: public(address)
mintFeeRecipient: public(address)
maxSupply: uint32
minted: uint32
mintOpen: public(bool)
publicMinting: public(bool)
hasRole: public(HashMap[bytes32, HashMap[address, bool]])
owners: HashMap[uint256, address]
balances: HashMap[address, uint256]
approvals: HashMap[uint256, address]
uris: HashMap[uint256, String[protocol.URI]]
getTokenIdByMetadataHash: public(HashMap[bytes32, uint256])


@external
def initialize(params: protocol.InitParams):
    if self.maxSupply != 0:
        raw_revert(method_id("InvalidInitialization()"))
    if params.owner == empty(address) or (params.mintFee > 0 and params.mintFeeToken == empty(address)):
        raw_revert(method_id("SPGNFT__ZeroAddressParam()"))
    if params.maxSupply == 0:
        raw_revert(method_id("SPGNFT__ZeroMaxSupply()"))
    self._grant(protocol.ADMIN_ROLE, params.owner)
    self._grant(protocol.MINTER_ROLE, params.owner)
    self.name = params.name
    self.symbol = params.symbol
    self.baseURI = params.baseURI
    self.contractURI = params.contractURI
    self.maxSupply = params.maxSupply
    self.mintFee = params.mintFee
    self.mintFeeToken = params.mintFeeToken
    self.mintFeeRecipient = params.mintFeeRecipient
    self.mintOpen = params.mintOpen
    self.publicMinting = params.isPublicMinting


@external
@view
def totalSupply() -> uint256:
    return convert(self.minted, uint256)


@external
@view
def balanceOf(owner: address) -> uint256:
    return self.balances[owner]


@external
@view
def ownerOf(tokenId: uint256) -> address:
    return self._owner(tokenId)


@external
@view
def tokenURI(tokenId: uint256) -> String[2 * protocol.URI]:
    self._owner(tokenId)
    return concat(self.baseURI, self.uris[tokenId])


@external
@view
def getApproved(tokenId: uint256) -> address:
    return self.approvals[tokenId]


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    # ERC-165, ERC-721, its metadata, access control
    return interfaceId in [0x01ffc9a7, 0x80ac58cd, 0x5b5e139f, 0x7965db0b]


@external
def grantRole(role: bytes32, account: address):
    self._only_admin()
    self._grant(role, account)


@external
def revokeRole(role: bytes32, account: address):
    self._only_admin()
    self.hasRole[role][account] = False


@external
def setMintOpen(mintOpen: bool):
    self._only_admin()
    self.mintOpen = mintOpen


@external
def setPublicMinting(isPublicMinting: bool):
    self._only_admin()
    self.publicMinting = isPublicMinting


@external
def setMintFee(fee: uint256):
    self._only_admin()
    self.mintFee = fee


@external
def setMintFeeToken(token: address):
    self._only_admin()
    self.mintFeeToken = token


@external
def mint(to: address, nftMetadataURI: String[protocol.URI], nftMetadataHash: bytes32, allowDuplicates: bool) -> uint256:
    if not self.publicMinting and not self.hasRole[protocol.MINTER_ROLE][msg.sender]:
        raw_revert(method_id("SPGNFT__MintingDenied()"))
    return self._mint(to, msg.sender, nftMetadataURI, nftMetadataHash, allowDuplicates)


@external
def mintByPeriphery(
    to: address, payer: address, nftMetadataURI: String[protocol.URI], nftMetadataHash: bytes32, allowDuplicates: bool
) -> uint256:
    if msg.sender not in [
        protocol.REGISTRATION_WORKFLOWS, protocol.LICENSE_ATTACHMENT_WORKFLOWS, protocol.DERIVATIVE_WORKFLOWS
    ]:
        raw_revert(method_id("SPGNFT__CallerNotPeripheryContract()"))
    return self._mint(to, payer, nftMetadataURI, nftMetadataHash, allowDuplicates)


@external
def approve(to: address, tokenId: uint256):
    assert msg.sender == self._owner(tokenId)
    self.approvals[tokenId] = to
    log Approval(owner=msg.sender, approved=to, tokenId=tokenId)


@external
def transferFrom(sender: address, to: address, tokenId: uint256):
    self._transfer(sender, to, tokenId)


@external
def safeTransferFrom(sender: address, to: address, tokenId: uint256, content: Bytes[1024] = b""):
    self._transfer(sender, to, tokenId)
    if not to.is_contract:
        return
    success: bool = False
    answer: Bytes[512] = b""
    success, answer = raw_call(
        to,
        abi_encode(msg.sender, sender, tokenId, content, method_id=method_id("onERC721Received(address,address,uint256,bytes)")),
        max_outsize=512,
        revert_on_failure=False,
    )
    if not success and len(answer) > 0:
        raw_revert(answer)
    received: bytes4 = method_id("onERC721Received(address,address,uint256,bytes)", output_type=bytes4)
    if len(answer) < 32 or convert(slice(answer, 0, 4), bytes4) != received:
        raw_revert(abi_encode(to, method_id=method_id("ERC721InvalidReceiver(address)")))


@internal
def _mint(to: address, payer: address, uri: String[protocol.URI], hash: bytes32, allow_duplicates: bool) -> uint256:
    if not self.mintOpen:
        raw_revert(method_id("SPGNFT__MintingClosed()"))
    if self.minted >= self.maxSupply:
        raw_revert(method_id("SPGNFT__MaxSupplyReached()"))
    first: uint256 = self.getTokenIdByMetadataHash[hash]
    if first != 0 and not allow_duplicates:
        raw_revert(
            abi_encode(self, first, hash, method_id=method_id("SPGNFT__DuplicatedNFTMetadataHash(address,uint256,bytes32)"))
        )
    if self.mintFeeToken != empty(address) and self.mintFee > 0:
        extcall protocol.Token(self.mintFeeToken).transferFrom(payer, self, self.mintFee)
    self.minted += 1
    token_id: uint256 = convert(self.minted, uint256)
    if to == empty(address):
        raw_revert(abi_encode(to, method_id=method_id("ERC721InvalidReceiver(address)")))
    if first == 0:
        self.getTokenIdByMetadataHash[hash] = token_id
    self.owners[token_id] = to
    self.balances[to] += 1
    log Transfer(sender=empty(address), to=to, tokenId=token_id)
    if len(uri) > 0:
        self.uris[token_id] = uri
        log MetadataUpdate(tokenId=token_id)
    return token_id


@internal
def _transfer(sender: address, to: address, token_id: uint256):
    owner: address = self._owner(token_id)
    if to == empty(address):
        raw_revert(abi_encode(to, method_id=method_id("ERC721InvalidReceiver(address)")))
    if msg.sender not in [owner, self.approvals[token_id]]:
        raw_revert(
            abi_encode(msg.sender, token_id, method_id=method_id("ERC721InsufficientApproval(address,uint256)"))
        )
    if owner != sender:
        raw_revert(
            abi_encode(sender, token_id, owner, method_id=method_id("ERC721IncorrectOwner(address,uint256,address)"))
        )
    self.approvals[token_id] = empty(address)
    self.owners[token_id] = to
    self.balances[sender] -= 1
    self.balances[to] += 1
    log Transfer(sender=sender, to=to, tokenId=token_id)


@internal
@view
def _owner(token_id: uint256) -> address:
    owner: address = self.owners[token_id]
    if owner == empty(address):
        raw_revert(abi_encode(token_id, method_id=method_id("ERC721NonexistentToken(uint256)")))
    return owner


@internal
def _grant(role: bytes32, account: address):
    self.hasRole[role][account] = True
    log RoleGranted(role=role, account=account, sender=msg.sender)


@internal
@view
def _only_admin():
    if not self.hasRole[protocol.ADMIN_ROLE][msg.sender]:
        raw_revert(
            abi_encode(
                msg.sender,
                protocol.ADMIN_ROLE,
                method_id=method_id("AccessControlUnauthorizedAccount(address,bytes32)"),
            )
        )
