"""Wallets that members prove to be theirs: they sign a message, which is good once and for minutes.

A wallet belongs to one member at a time, and the newest proof counts: it shows who can sign with its key today. What
was submitted before keeps the recipient that its moderators saw.
"""

import asyncio
import hmac
import re
from dataclasses import dataclass

from yarl import URL

from bot.errors import Refused
from bot.story import ownership
from bot.story.node.networks import Network
from bot.story.node.values import Address, address
from bot.values import Frozen
from bot.workflows.base.forms import Forms
from bot.workflows.base.kit import Kit
from bot.workflows.base.work import UnitOfWork
from storage.registering import wallets
from storage.registering.wallets import LinkedWallet

REMEMBERED = 86_400.0
"""Seconds for which a message is kept after it was used or its time is over, so that the bot can say which."""
PAGE = "/wallet"
"""Where the page lies that asks a member's wallet to sign, below PUBLIC_URL."""
_STATEMENT = "I link this wallet to my Discord account {}. Signing costs nothing and moves nothing."
_ANEW = "Begin again with `/wallet link`."
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,40}")
"""Names that may stand in a message as they are."""


class _Asked(Frozen):
    """What a member was asked to sign, as it is kept."""

    address: Address
    message: str
    expires_at: float
    used: bool = False
    nonce: str = ""
    page_message: str | None = None
    """The same for the bot's own page; None where it has none."""
    guild_id: int | None = None
    earlier: str | None = None
    """The message before this one, which is not accepted any more."""

    @property
    def messages(self) -> tuple[str, ...]:
        return (self.message, self.page_message) if self.page_message else (self.message,)


@dataclass(frozen=True)
class Challenge:
    """What a member is asked to sign, word for word."""

    address: Address
    message: str
    """For any place where text can be signed."""
    expires_at: float
    page: str | None = None
    """The address of the bot's own page, which asks their wallet; None where the bot has none."""


@dataclass(frozen=True)
class OnPage:
    """What the page asks a wallet to sign."""

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

    def __init__(self, kit: Kit, *, network: Network, public_url: str | None = None) -> None:
        """`public_url` is where the world reaches the bot's own web server; None where it does not."""
        self._public_url = public_url.rstrip("/") if public_url else None
        self._work = kit.work
        self._clock = kit.clock
        self._forms = Forms(kit)
        self.network = network

    async def challenge(
        self, user_id: int, text: str, *, name: str | None = None, guild_id: int | None = None
    ) -> Challenge:
        """A new message for a member to sign; the one before is not accepted any more. `name` is their user name.

        Raises:
            Refused: `text` is no address.
        """
        wanted, now = address(text), self._clock.now()
        account = f"{name} ({user_id})" if name and _NAME.fullmatch(name) else str(user_id)
        nonce, expires_at, chain_id = ownership.new_nonce(), now + ownership.LIFETIME, self.network.chain_id
        page, page_message = f"{self._public_url}{PAGE}/{user_id}-{nonce}" if self._public_url else None, None
        if page:
            page_message = ownership.challenge(
                address=wanted,
                domain=URL(page).host_port_subcomponent or "",
                uri=page,
                statement=_STATEMENT.format(account),
                chain_id=chain_id,
                request_id=str(user_id),
                now=now,
                nonce=nonce,
            ).message
        before = await self._forms.find(_form_id(user_id), user_id, _Asked)
        asked = _Asked(
            address=wanted,
            message=ownership.plain_message(
                address=wanted, account=account, chain_id=chain_id, nonce=nonce, expires_at=expires_at
            ),
            expires_at=expires_at,
            nonce=nonce,
            page_message=page_message,
            guild_id=guild_id,
            earlier=before.message if before else None,
        )
        await self._forms.keep(_form_id(user_id), user_id, asked, seconds=REMEMBERED)
        return Challenge(wanted, asked.message, expires_at, page)

    async def prove(self, user_id: int, signature: str, *, guild_id: int) -> Linked:
        """Link the wallet whose signature of the member's message this is, as they have pasted it.

        A wrong signature may be tried again while the message is good; a right one is good once.

        Raises:
            Refused: nothing was asked, it is over or was used, or it is no signature of that wallet.
        """
        asked = self._check_usable(await self._forms.find(_form_id(user_id), user_id, _Asked))
        return await self._prove(user_id, asked, signature, meant=asked.message, guild_id=guild_id)

    async def load_page(self, user_id: int, nonce: str) -> OnPage:
        """What the page with this address asks for.

        Raises:
            Refused: there is no such page, or it is over or was used.
        """
        asked = await self._find_on_page(user_id, nonce)
        assert asked.page_message, "it has a page"
        return OnPage(asked.address, asked.page_message, asked.expires_at)

    async def prove_on_page(self, user_id: int, nonce: str, signature: str) -> Linked:
        """The same as `prove` for a signature that the page has got from the wallet.

        Raises:
            Refused: there is no such page, it is over or was used, or it is no signature of that wallet.
        """
        asked = await self._find_on_page(user_id, nonce)
        meant = asked.page_message or asked.message
        return await self._prove(user_id, asked, signature, meant=meant, guild_id=asked.guild_id or 0)

    async def _find_on_page(self, user_id: int, nonce: str) -> _Asked:
        asked = await self._forms.find(_form_id(user_id), user_id, _Asked)
        if asked is None or not asked.page_message or not hmac.compare_digest(asked.nonce, nonce):
            raise Refused(f"There is no such page, or there is a newer one by now. {_ANEW}")
        return self._check_usable(asked)

    async def _prove(self, user_id: int, asked: _Asked, pasted: str, *, meant: str, guild_id: int) -> Linked:
        """`meant` is the message that was most likely signed: where it is another wallet's, its signer is named."""
        form_id = _form_id(user_id)
        message, signature = await asyncio.to_thread(_check_signature, asked, pasted, meant)  # some ms of arithmetic
        used = asked.model_copy(update={"used": True})
        async with self._work() as tx:
            if await self._forms.replace(tx, form_id, user_id, asked, used, seconds=REMEMBERED):
                self._check_usable(asked)  # its time may have ended while it was checked
                return await _link(tx, user_id, asked.address, message, signature, guild_id=guild_id)
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
            raise Refused(
                f"That signature was used already, and each is good once: `/wallet show` shows what is linked. {_ANEW}"
            )
        if asked.expires_at <= self._clock.now():
            raise Refused(f"That message was good for {ownership.LIFETIME / 60:.0f} minutes, which are over. {_ANEW}")
        return asked


async def _link(
    tx: UnitOfWork, user_id: int, address: Address, message: str, signature: str, *, guild_id: int
) -> Linked:
    before, holder = await wallets.find(tx.db, user_id), await wallets.holder(tx.db, address)
    taken_from = holder.user_id if holder and holder.user_id != user_id else None
    if taken_from is not None:
        await wallets.remove(tx.db, taken_from)
        await _audit(tx, "wallet unlinked", taken_from, address, guild_id=guild_id, by=user_id)
    wallet = LinkedWallet(user_id, address, message, signature, tx.now)
    await wallets.save(tx.db, wallet)
    await _audit(tx, "wallet linked", user_id, address, guild_id=guild_id, by=user_id)
    other = before.address if before and before.address != address else None
    return Linked(wallet, other, taken_from)


async def _audit(tx: UnitOfWork, action: str, user_id: int, wallet: str, *, guild_id: int, by: int) -> None:
    await tx.audit(action, f"wallet {user_id}", guild_id=guild_id, actor_id=by, details={"address": wallet})


def _form_id(user_id: int) -> str:
    return f"wallet-{user_id}"


def _check_signature(asked: _Asked, pasted: str, meant: str) -> tuple[str, str]:
    """The message as it was signed, and the signature in its usual spelling.

    Raises:
        Refused: it is no signature, another wallet's, or of another text; the sentence says which.
    """
    given = ownership.read_signature(pasted)
    signed = ownership.find_signed(asked.messages, given.signature, asked.address)
    if signed is not None:
        return signed, f"0x{given.signature.hex()}"
    raise Refused(f"{_say_what_was_signed(asked, given, meant)} Nothing was linked.")


def _say_what_was_signed(asked: _Asked, given: ownership.Pasted, meant: str) -> str:
    right = given.message is not None and any(ownership.same_text(given.message, each) for each in asked.messages)
    if asked.earlier and ownership.find_signed([asked.earlier], given.signature, asked.address):
        return "That is a signature of the message before this one. Copy the newest message, and sign that."
    if given.message is not None and not right:
        signer = ownership.signer_of(given.message, given.signature)
        by = f" by {signer}" if signer else ""
        start = " ".join(given.message.split())[:60]
        return f"Another text was signed{by}, which begins with “{start}”. Copy the whole message, and sign that."
    signer = ownership.signer_of(given.message or meant, given.signature)
    if signer is None:
        return "That signature cannot be checked. Sign the message again in your wallet."
    if right:
        return (
            f"That was signed by {signer}, and not by {asked.address}. Choose the right account in your wallet and "
            "sign again, or begin again with `/wallet link` and the other address."
        )
    return (
        f"That was signed by {signer}, or is of another text, and not by {asked.address}. Choose the right account in "
        "your wallet, copy the whole message, sign it, and try again."
    )
