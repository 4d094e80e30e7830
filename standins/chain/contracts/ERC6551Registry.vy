# pragma version 0.4.3
"""The registry of token-bound accounts (ERC-6551). It really deploys them, so that their addresses are the EVM's own."""

event ERC6551AccountCreated:
    account: address
    implementation: indexed(address)
    salt: bytes32
    chainId: uint256
    tokenContract: indexed(address)
    tokenId: indexed(uint256)


@external
def createAccount(
    implementation: address, salt: bytes32, chainId: uint256, tokenContract: address, tokenId: uint256
) -> address:
    code: Bytes[183] = self._creation_code(implementation, salt, chainId, tokenContract, tokenId)
    account: address = self._address(salt, keccak256(code))
    if account.is_contract:
        return account
    created: address = raw_create(code, salt=salt)
    log ERC6551AccountCreated(
        account=created,
        implementation=implementation,
        salt=salt,
        chainId=chainId,
        tokenContract=tokenContract,
        tokenId=tokenId,
    )
    return created


@external
@view
def account(
    implementation: address, salt: bytes32, chainId: uint256, tokenContract: address, tokenId: uint256
) -> address:
    code: Bytes[183] = self._creation_code(implementation, salt, chainId, tokenContract, tokenId)
    return self._address(salt, keccak256(code))


@internal
@pure
def _creation_code(
    implementation: address, salt: bytes32, chain_id: uint256, token_contract: address, token_id: uint256
) -> Bytes[183]:
    return concat(
        x"3d60ad80600a3d3981f3363d3d373d3d3d363d73",
        convert(implementation, bytes20),
        x"5af43d82803e903d91602b57fd5bf3",
        salt,
        convert(chain_id, bytes32),
        convert(convert(token_contract, uint256), bytes32),
        convert(token_id, bytes32),
    )


@internal
@view
def _address(salt: bytes32, code_hash: bytes32) -> address:
    whole: bytes32 = keccak256(concat(x"ff", convert(self, bytes20), salt, code_hash))
    return convert(convert(whole, uint256) & convert(max_value(uint160), uint256), address)
