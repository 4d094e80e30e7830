"""Registering, put together."""

from functools import partial

from bot.jobs.rounds import Round
from bot.story.node.networks import Network
from bot.workflows.base.kit import Kit
from bot.workflows.registering.drafting.draft_card import DraftCard
from bot.workflows.registering.drafting.terms import Drafts
from bot.workflows.registering.job import RegistrationJob
from bot.workflows.registering.pinned_files import MISSING_ROUND, PinnedFiles
from bot.workflows.registering.publishing import Publishing
from bot.workflows.registering.rereading import REREADING_ROUND, Rereading
from bot.workflows.registering.upkeep import (
    CHECK_EVERY,
    NONCES_ROUND,
    ROUND,
    ReadinessCheck,
    RegistrationUpkeep,
    look_after_nonces,
)
from bot.workflows.registering.verbs import Registrations
from bot.workflows.registering.verification import Verification
from bot.workflows.registering.views import RegistrationViews
from bot.workflows.registering.wallets import Wallets
from bot.workflows.reviewing.verbs import Decisions


class Registering:
    """The parts of registering that the rest of the bot uses."""

    def __init__(
        self,
        kit: Kit,
        *,
        publishing: Publishing | None,
        network: Network,
        missing: tuple[str, ...],
        decisions: Decisions,
        public_url: str | None,
    ) -> None:
        """`publishing` is None where registration is not set up; `missing` names the settings that it lacks."""
        self.views = RegistrationViews(kit, networks={network.key: network})
        drafts = Drafts(kit, publishing=publishing, network=network, missing=missing)
        self.registrations = Registrations(kit, views=self.views, drafts=drafts, decisions=decisions)
        self.wallets = Wallets(kit, network=network, public_url=public_url)
        self.draft_card = DraftCard(kit, registrations=self.registrations, wallets=self.wallets)
        self.verification = Verification(kit, views=self.views, publishing=publishing)
        files = self._files = PinnedFiles(kit)
        self._publishing = publishing
        self.job = RegistrationJob(kit, files=files, views=self.views, publishing=publishing)
        self.rounds: tuple[Round, ...] = (Round("registrations", ROUND, RegistrationUpkeep(kit).go_round),)
        if publishing:
            check = ReadinessCheck(kit, registrar=publishing.registrar)
            reread = Rereading(kit, files=files, views=self.views, publishing=publishing)
            self.rounds += (
                Round("readiness", CHECK_EVERY, check.run),
                Round("nonces", NONCES_ROUND, partial(look_after_nonces, publishing.sender)),
                Round("read again", REREADING_ROUND, reread.go_round),
                Round("missing pins", MISSING_ROUND, partial(files.pin_missing, publishing)),
            )

    async def count_missing_pins(self) -> dict[str, int]:
        """How many files of registered images each pinning service lacks, by its label."""
        return await self._files.count_missing(self._publishing) if self._publishing else {}
