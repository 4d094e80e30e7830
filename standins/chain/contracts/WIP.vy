# pragma version 0.4.3
"""Wrapped IP: the chain's coin as an ERC-20, in which mint fees and licences are paid."""

event Transfer:
    sender: indexed(address)
    to: indexed(address)
    amount: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256

event Deposit:
    sender: indexed(address)
    amount: uint256

event Withdrawal:
    to: indexed(address)
    amount: uint256

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@external
@pure
def name() -> String[16]:
    return "Wrapped IP"


@external
@pure
def symbol() -> String[8]:
    return "WIP"


@external
@pure
def decimals() -> uint8:
    return 18


@external
@view
def totalSupply() -> uint256:
    return self.balance


@external
@payable
def deposit():
    self._deposit(msg.value)


@external
@payable
def __default__():
    self._deposit(msg.value)


@external
def withdraw(amount: uint256):
    self._take(msg.sender, amount)
    log Withdrawal(to=msg.sender, amount=amount)
    send(msg.sender, amount)


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, amount=amount)
    return True


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    allowed: uint256 = self.allowance[sender][msg.sender]
    if allowed != max_value(uint256):
        if allowed < amount:
            raw_revert(method_id("InsufficientAllowance()"))
        self.allowance[sender][msg.sender] = allowed - amount
    self._move(sender, to, amount)
    return True


@internal
def _deposit(amount: uint256):
    self.balanceOf[msg.sender] += amount
    log Deposit(sender=msg.sender, amount=amount)


@internal
def _move(sender: address, to: address, amount: uint256):
    self._take(sender, amount)
    self.balanceOf[to] += amount
    log Transfer(sender=sender, to=to, amount=amount)


@internal
def _take(sender: address, amount: uint256):
    if self.balanceOf[sender] < amount:
        raw_revert(method_id("InsufficientBalance()"))
    self.balanceOf[sender] -= amount
