"""Wallets that members prove to be theirs: they sign a message, which is good once and for minutes.

A wallet belongs to one member at a time, and the newest proof counts: it shows who can sign with its key today. What
was submitted before keeps the recipient that its moderators saw.
"""

import asyncio
from dataclasses import dataclass

from bot.errors import Refused
from bot.story import ownership
from bot.story.node.networks import Network
from bot.story.node.values import Address, address
from bot.values import Frozen
from bot.workflows.base.forms import Forms
from bot.workflows.base.kit import Kit
from bot.workflows.base.work import Transaction
from storage.registering import wallets
from storage.registering.wallets import LinkedWallet

REMEMBERED = 86_400.0
"""Seconds for which a message is kept after it was used or its time is over, so that the bot can say which."""
_DOMAIN = "discord.com"
_ANEW = "Begin again with `/wallet link`."
_SIGNATURE = 132
"""Characters: 0x and 65 bytes."""


class _Asked(Frozen):
    """A message that a member was asked to sign, as it is kept."""

    address: Address
    message: str
    expires_at: float
    used: bool = False


@dataclass(frozen=True)
class Challenge:
    """What a member is asked to sign, word for word."""

    address: Address
    message: str
    expires_at: float


@dataclass(frozen=True)
class Linked:
    """What a proof has changed. `before` was linked until now; `taken_from` had linked this very wallet."""

    wallet: LinkedWallet
    before: str | None
    taken_from: int | None


class Wallets:
    """Links wallets to members."""

    def __init__(self, kit: Kit, *, network: Network) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._forms = Forms(kit)
        self.network = network

    async def challenge(self, user_id: int, text: str) -> Challenge:
        """A new message for a member to sign; the one before is not accepted any more.

        Raises:
            Refused: `text` is no address.
        """
        wanted = address(text)
        challenge = ownership.challenge(
            address=wanted,
            domain=_DOMAIN,
            uri=f"https://{_DOMAIN}/users/{user_id}",
            statement="I link this wallet to my Discord account. Signing costs nothing and moves nothing.",
            chain_id=self.network.chain_id,
            request_id=str(user_id),
            now=self._clock.now(),
        )
        asked = _Asked(address=wanted, message=challenge.message, expires_at=challenge.expires_at)
        await self._forms.keep(_form_id(user_id), user_id, asked, seconds=REMEMBERED)
        return Challenge(wanted, challenge.message, challenge.expires_at)

    async def prove(self, user_id: int, signature: str, *, guild_id: int) -> Linked:
        """Link the wallet whose signature of the member's message this is.

        A wrong signature may be tried again while the message is good; a right one is good once.

        Raises:
            Refused: nothing was asked, it is over or was used, or it is no signature of that wallet.
        """
        form_id = _form_id(user_id)
        asked = self._check_usable(await self._forms.find(form_id, user_id, _Asked))
        await asyncio.to_thread(_check_signature, asked, signature)  # some ms of arithmetic
        used = asked.model_copy(update={"used": True})
        async with self._work() as tx:
            if await self._forms.replace(tx, form_id, user_id, asked, used, seconds=REMEMBERED):
                return await _link(tx, user_id, asked, signature.strip(), guild_id=guild_id)
        self._check_usable(await self._forms.find(form_id, user_id, _Asked))
        raise Refused(f"There is a newer message to sign by now. {_ANEW}")

    async def of(self, user_id: int) -> LinkedWallet | None:
        """A member's linked wallet."""
        async with self._work.read() as db:
            return await wallets.find(db, user_id)

    async def unlink(self, user_id: int, *, guild_id: int) -> str:
        """Forget a member's wallet; its address.

        Raises:
            Refused: none is linked.
        """
        async with self._work() as tx:
            wallet = await wallets.find(tx.db, user_id)
            if wallet is None or not await wallets.remove(tx.db, user_id):
                raise Refused("You have linked no wallet.")
            await _audit(tx, "wallet unlinked", user_id, wallet.address, guild_id=guild_id, by=user_id)
        return wallet.address

    def _check_usable(self, asked: _Asked | None) -> _Asked:
        """
        Raises:
            Refused: nothing was asked, or it is over or was used.
        """
        if asked is None:
            raise Refused(f"There is no message that you could have signed. {_ANEW}")
        if asked.used:
            raise Refused(f"That signature was used already, and each is good once. {_ANEW}")
        if asked.expires_at <= self._clock.now():
            raise Refused(f"That message was good for {ownership.LIFETIME / 60:.0f} minutes, which are over. {_ANEW}")
        return asked


async def _link(tx: Transaction, user_id: int, asked: _Asked, signature: str, *, guild_id: int) -> Linked:
    before, holder = await wallets.find(tx.db, user_id), await wallets.holder(tx.db, asked.address)
    taken_from = holder.user_id if holder and holder.user_id != user_id else None
    if taken_from is not None:
        await wallets.remove(tx.db, taken_from)
        await _audit(tx, "wallet unlinked", taken_from, asked.address, guild_id=guild_id, by=user_id)
    wallet = LinkedWallet(user_id, asked.address, asked.message, signature, tx.now)
    await wallets.save(tx.db, wallet)
    await _audit(tx, "wallet linked", user_id, asked.address, guild_id=guild_id, by=user_id)
    other = before.address if before and before.address != asked.address else None
    return Linked(wallet, other, taken_from)


async def _audit(tx: Transaction, action: str, user_id: int, wallet: str, *, guild_id: int, by: int) -> None:
    await tx.audit(action, f"wallet {user_id}", guild_id=guild_id, actor_id=by, details={"address": wallet})


def _form_id(user_id: int) -> str:
    return f"wallet-{user_id}"


def _check_signature(asked: _Asked, signature: str) -> None:
    """
    Raises:
        Refused: it is no signature, or another wallet's.
    """
    given = signature.strip()
    digits = given.removeprefix("0x")
    if digits and len(given) > _SIGNATURE and set(digits.lower()) <= set("0123456789abcdef"):
        raise Refused(
            "That is longer than a signature of a plain wallet: smart wallets sign in another way, which cannot be "
            "checked here. Nothing was linked. A registration's “Recipient” takes such a wallet without a proof."
        )
    signer = ownership.recover_address(asked.message, given)
    if signer != asked.address:
        raise Refused(
            f"That was signed by {signer}, or is of another text, and not by {asked.address}. Nothing was linked. "
            "Choose the right account in your wallet, copy the whole message, sign it, and try again."
        )
