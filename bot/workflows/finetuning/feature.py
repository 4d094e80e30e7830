"""Finetuning, put together."""

from collections.abc import Mapping

from bot.jobs.rounds import Round
from bot.workflows.base.kit import Kit
from bot.workflows.finetuning.choices import FinetuneChoices
from bot.workflows.finetuning.drafts import TrainingDrafts
from bot.workflows.finetuning.job import FinetuneJob
from bot.workflows.finetuning.packs import Packs
from bot.workflows.finetuning.sheets import ContactSheets
from bot.workflows.finetuning.starting import TrainingStarts
from bot.workflows.finetuning.training_job import TrainingJob
from bot.workflows.finetuning.upkeep import ROUND, FinetuneUpkeep
from bot.workflows.finetuning.verbs import Finetunes
from bot.workflows.finetuning.views import FinetuneViews


class Finetuning:
    """The parts of finetuning that the rest of the bot uses."""

    def __init__(self, kit: Kit, *, homes: Mapping[str, str]) -> None:
        """`homes` are the regions in which the providers train where nobody chooses one."""
        self.views = FinetuneViews(kit, homes=homes)
        self.choices = FinetuneChoices(kit, views=self.views)
        sheets = ContactSheets(kit)
        self.drafts = TrainingDrafts(kit, views=self.views, sheets=sheets)
        self.packs = Packs(kit)
        self.starts = TrainingStarts(kit, views=self.views)
        self.finetunes = Finetunes(kit, views=self.views, sheets=sheets)
        self.finetune = FinetuneJob(kit, views=self.views, sheets=sheets)
        self.train = TrainingJob(kit)
        self.rounds = (Round("finetunes", ROUND, FinetuneUpkeep(kit).go_round),)
