"""Wallets that members prove to be theirs: a message to sign, good once and for minutes, and the link that follows.

A wallet belongs to one member at a time, and the newest proof counts: whoever can sign with its key today owns what is
sent there, whoever could last year perhaps no longer does. What was submitted before keeps the recipient that its
moderators saw.
"""

import asyncio
from dataclasses import dataclass

from bot.errors import Refused
from bot.story import ownership
from bot.story.node.networks import Network
from bot.story.node.values import Address, address
from bot.values import Frozen
from bot.workflows.base.kit import Kit
from storage.base import drafts
from storage.database import Connection
from storage.registering import wallets
from storage.registering.wallets import LinkedWallet
from storage.reviewing import audit

REMEMBERED = 86_400.0
"""Seconds for which the bot knows of a message that it was used or is over, to say so."""
_DOMAIN = "discord.com"
_ANEW = "Begin again with `/wallet link`."
_SIGNATURE = 132
"""Characters: 0x and 65 bytes."""


class _Asked(Frozen):
    """A message that a member was asked to sign, as it waits in the drafts."""

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
    """Each verb is one transaction."""

    def __init__(self, kit: Kit, *, network: Network) -> None:
        self._database = kit.database
        self._work = kit.work
        self._clock = kit.clock
        self.network = network

    async def challenge(self, user_id: int, text: str) -> Challenge:
        """A new message for a member; the one before is good no more.

        Raises:
            Refused: that is no address.
        """
        wanted, now = address(text), self._clock.now()
        made = ownership.challenge(
            address=wanted,
            domain=_DOMAIN,
            uri=f"https://{_DOMAIN}/users/{user_id}",
            statement="I link this wallet to my Discord account. Signing costs nothing and moves nothing.",
            chain_id=self.network.chain_id,
            request_id=str(user_id),
            now=now,
        )
        asked = _Asked(address=wanted, message=made.message, expires_at=made.expires_at)
        async with self._work() as tx:
            db = tx.db
            await self._keep(db, user_id, asked)
        return Challenge(wanted, made.message, made.expires_at)

    async def prove(self, user_id: int, signature: str, *, guild_id: int) -> Linked:
        """Link the wallet whose signature of the member's message this is.

        A wrong signature may be tried again while the message is good; a right one is good once.

        Raises:
            Refused: nothing was asked, it is over or was used, or it is no signature of that wallet.
        """
        now = self._clock.now()
        async with self._database.read() as db:
            content = await drafts.find(db, draft_id=_draft(user_id), owner_id=user_id, now=now)
        asked = self._good(content, now)
        await asyncio.to_thread(_check, asked, signature)  # some ms of arithmetic
        async with self._work() as tx:
            db, now = tx.db, tx.now
            taken = await drafts.take(db, draft_id=_draft(user_id), owner_id=user_id, now=now)
            if self._good(taken, now) != asked:
                raise Refused(f"There is a newer message to sign by now. {_ANEW}")
            await self._keep(db, user_id, asked.model_copy(update={"used": True}))
            return await self._link(db, user_id, asked, signature.strip(), guild_id=guild_id, now=now)

    async def of(self, user_id: int) -> LinkedWallet | None:
        """A member's linked wallet."""
        async with self._database.read() as db:
            return await wallets.find(db, user_id)

    async def unlink(self, user_id: int, *, guild_id: int) -> str:
        """Forget a member's wallet; its address.

        Raises:
            Refused: none is linked.
        """
        async with self._work() as tx:
            db = tx.db
            known = await wallets.find(db, user_id)
            if known is None or not await wallets.remove(db, user_id):
                raise Refused("You have linked no wallet.")
            await self._note(db, "wallet unlinked", user_id, known.address, guild_id=guild_id, by=user_id)
        return known.address

    def _good(self, content: str | None, now: float) -> _Asked:
        """
        Raises:
            Refused: nothing was asked, or it is over or was used.
        """
        if content is None:
            raise Refused(f"There is no message that you could have signed. {_ANEW}")
        asked = _Asked.model_validate_json(content)
        if asked.used:
            raise Refused(f"That signature was used already, and each is good once. {_ANEW}")
        if asked.expires_at <= now:
            raise Refused(f"That message was good for {ownership.LIFETIME / 60:.0f} minutes, which are over. {_ANEW}")
        return asked

    async def _link(
        self, db: Connection, user_id: int, asked: _Asked, signature: str, *, guild_id: int, now: float
    ) -> Linked:
        before, holder = await wallets.find(db, user_id), await wallets.holder(db, asked.address)
        taken_from = holder.user_id if holder and holder.user_id != user_id else None
        if taken_from is not None:
            await wallets.remove(db, taken_from)
            await self._note(db, "wallet unlinked", taken_from, asked.address, guild_id=guild_id, by=user_id)
        wallet = LinkedWallet(user_id, asked.address, asked.message, signature, now)
        await wallets.save(db, wallet)
        await self._note(db, "wallet linked", user_id, asked.address, guild_id=guild_id, by=user_id)
        other = before.address if before and before.address != asked.address else None
        return Linked(wallet, other, taken_from)

    async def _note(self, db: Connection, action: str, user_id: int, wallet: str, *, guild_id: int, by: int) -> None:
        await audit.add(
            db,
            action=action,
            subject=f"wallet {user_id}",
            guild_id=guild_id,
            actor_id=by,
            details={"address": wallet},
            now=self._clock.now(),
        )

    async def _keep(self, db: Connection, user_id: int, asked: _Asked) -> None:
        now = self._clock.now()
        await drafts.save(
            db,
            draft_id=_draft(user_id),
            owner_id=user_id,
            content=asked.model_dump_json(),
            now=now,
            expires_at=now + REMEMBERED,
        )


def _draft(user_id: int) -> str:
    return f"wallet-{user_id}"


def _check(asked: _Asked, signature: str) -> None:
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
