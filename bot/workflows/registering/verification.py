"""Looks a picture up: whether these exact bytes are registered or being registered, or look like a registered one."""

import asyncio
from dataclasses import dataclass, replace

from bot.errors import BotError, Refused
from bot.pictures.fingerprint import look_alike
from bot.pictures.portrait import take_portrait_of_upload
from bot.story.licences import sentence_of_terms
from bot.story.node.values import address
from bot.story.registrar import Check
from bot.values import sha256_of
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Upload
from bot.workflows.base.uploads import fetch_upload
from bot.workflows.registering.drafting.terms import mint_of
from bot.workflows.registering.publishing import Publishing
from bot.workflows.registering.types import RegistrationView
from bot.workflows.registering.views import MOST_COMPARED, REGISTERED, RegistrationViews
from storage.registering import registrations
from storage.registering.transitions import RegistrationState

LARGEST = 25_000_000
"""Bytes of an upload."""
NEAREST = 3


@dataclass(frozen=True)
class Standing:
    """What the chain says just now. `unread` says why nobody knows; the rest is empty then."""

    checks: tuple[Check, ...] = ()
    licences: tuple[str, ...] = ()
    """Of each of its licence terms, in a sentence."""
    unread: str | None = None

    @property
    def good(self) -> bool:
        return bool(self.checks) and all(check.good for check in self.checks)


@dataclass(frozen=True)
class Verdict:
    """What is known of a picture. `name` is what the asker called it."""

    name: str
    sha256: str | None
    """None where a registration was named, and no file."""
    registered: RegistrationView | None
    """The one of these exact bytes: registered, or else under way."""
    foreign: bool = False
    """It is another community's."""
    near: tuple[RegistrationView, ...] = ()
    """What looks the same and is registered here, the newest first."""
    unseen: str | None = None
    """Why nothing at all is known of it: it could not be downloaded, or is too large."""
    uncomparable: str | None = None
    """Why it could not be looked at."""
    standing: Standing | None = None
    """None where nothing is registered."""


class Verification:
    """`publishing` is None where registration is not set up: then the chain is not asked."""

    def __init__(self, kit: Kit, *, views: RegistrationViews, publishing: Publishing | None) -> None:
        self._work = kit.work
        self._files = kit.files
        self._decoder = kit.decoder
        self._views = views
        self._publishing = publishing

    async def of_upload(self, upload: Upload, *, guild_id: int) -> Verdict:
        """A member's file. Only where its bytes are not registered is it decoded, and compared with what is.

        Raises:
            Refused: it is too large.
            Unavailable: it cannot be downloaded from Discord.
        """
        async with self._files.temporary() as path:
            await fetch_upload(upload, path, most=LARGEST)
            sha256 = await asyncio.to_thread(sha256_of, path)
            verdict = await self.of_bytes(upload.name, sha256, guild_id=guild_id)
            if verdict.registered is not None:
                return verdict
            try:
                portrait = await self._decoder.run(take_portrait_of_upload, path, upload.name)
            except Refused as error:
                return replace(verdict, uncomparable=str(error))
        return replace(verdict, near=await self._find_near(portrait.fingerprint, sha256, guild_id))

    async def of_bytes(self, name: str, sha256: str, *, guild_id: int) -> Verdict:
        """The registration of these bytes: a finished one first, then one of this community."""
        async with self._work.read() as db:
            same = await registrations.with_bytes(db, sha256, states=REGISTERED)
        # What is under way in another community is private to that community.
        visible = [each for each in same if each.guild_id == guild_id or each.state is RegistrationState.CONFIRMED]
        visible.sort(key=lambda each: (each.state is not RegistrationState.CONFIRMED, each.guild_id != guild_id))
        view = await self._views.of(visible[0].id) if visible else None
        return await self._judge(Verdict(name, sha256, view), guild_id)

    async def of_picture(self, name: str, sha256: str, *, guild_id: int) -> Verdict:
        """One of the bot's own pictures, by its stored file."""
        verdict = await self.of_bytes(name, sha256, guild_id=guild_id)
        path = self._files.path(sha256)
        if verdict.registered is not None or not path.exists():
            return verdict
        try:
            portrait = await self._decoder.run(take_portrait_of_upload, path, name)
        except Refused as error:
            return replace(verdict, uncomparable=str(error))
        return replace(verdict, near=await self._find_near(portrait.fingerprint, sha256, guild_id))

    async def of_ip(self, text: str, *, guild_id: int) -> Verdict:
        """An IP asset by its id.

        Raises:
            Refused: it is no id, or this bot has registered none with it.
        """
        ip_id = address(text)
        async with self._work.read() as db:
            registration = await registrations.with_ip(db, ip_id)
        view = await self._views.of(registration.id) if registration else None
        if view is None:
            raise Refused(f"This bot has registered no IP asset {ip_id}. Others may have: Story's explorer shows all.")
        return await self._judge(Verdict(ip_id, None, view), guild_id)

    async def of_registration(self, view: RegistrationView, *, guild_id: int) -> Verdict:
        """A registration that was named."""
        return await self._judge(Verdict(view.registration.id, None, view), guild_id)

    async def _judge(self, verdict: Verdict, guild_id: int) -> Verdict:
        view = verdict.registered
        if view is None:
            return verdict
        standing = await self._ask_chain(view) if view.state is RegistrationState.CONFIRMED else None
        return replace(verdict, foreign=view.registration.guild_id != guild_id, standing=standing)

    async def _ask_chain(self, view: RegistrationView) -> Standing:
        """How it stands on the chain; where the chain does not answer, `unread` says why."""
        publishing, outcome = self._publishing, view.outcome
        if publishing is None or publishing.chain_id != view.terms.chain_id:
            return Standing(unread="The bot is not connected to that chain just now.")
        registration = view.registration
        if outcome is None or not (registration.ip_cid and registration.nft_cid):
            return Standing(unread="The bot's own records of it are not complete.")
        mint = mint_of(registration, view.terms)
        try:
            read_back = await publishing.registrar.read_back(mint, outcome.registered)
            terms = await publishing.registrar.terms_of(outcome.registered.ip_id)
        except BotError as error:
            return Standing(unread=str(error))
        return Standing(read_back.checks, tuple(sentence_of_terms(each, view.network.coin) for _, each in terms))

    async def _find_near(self, fingerprint: str, sha256: str, guild_id: int) -> tuple[RegistrationView, ...]:
        async with self._work.read() as db:
            # What is still under way may be in a channel that the asker does not see.
            confirmed = [RegistrationState.CONFIRMED]
            others = await registrations.likenesses(db, guild_id, states=confirmed, limit=MOST_COMPARED)
        near = [each for each, bytes_of, looks in others if bytes_of != sha256 and look_alike(looks, fingerprint)]
        views = [await self._views.of(each) for each in near[:NEAREST]]
        return tuple(view for view in views if view)
