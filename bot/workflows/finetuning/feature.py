"""Finetuning, put together."""

from collections.abc import Mapping

from bot.jobs.rounds import Round
from bot.workflows.base.kit import Kit
from bot.workflows.finetuning.drafts import Trainings
from bot.workflows.finetuning.job import Tend
from bot.workflows.finetuning.sheets import Sheets
from bot.workflows.finetuning.starting import Starts
from bot.workflows.finetuning.training_job import Train
from bot.workflows.finetuning.upkeep import ROUND, Keeping
from bot.workflows.finetuning.verbs import Finetunes
from bot.workflows.finetuning.views import FinetuneViews


class Finetuning:
    """The parts of finetuning that the rest of the bot speaks to."""

    def __init__(self, kit: Kit, *, homes: Mapping[str, str]) -> None:
        """`homes` are the regions in which the providers train where nobody chooses one."""
        self.views = FinetuneViews(kit, homes=homes)
        sheets = Sheets(kit)
        self.drafts = Trainings(kit, views=self.views, sheets=sheets)
        self.starts = Starts(kit, views=self.views)
        self.finetunes = Finetunes(kit, views=self.views, sheets=sheets)
        self.tend = Tend(kit, views=self.views, sheets=sheets)
        self.train = Train(kit)
        self.rounds = (Round("finetunes", ROUND, Keeping(kit).go_round),)
