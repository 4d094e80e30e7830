"""Drawing, put together."""

from collections.abc import Mapping

from bot.workflows.base.kit import Kit
from bot.workflows.drawing.job import Imagine
from bot.workflows.drawing.picture_job import Draw
from bot.workflows.drawing.verbs import Requests
from bot.workflows.drawing.views import Views
from bot.workflows.finetuning.feature import Finetuning
from storage.base.queue import Lane


class Drawing:
    """The parts of drawing that the rest of the bot speaks to."""

    def __init__(self, kit: Kit, *, lanes: Mapping[str, Lane], finetuning: Finetuning) -> None:
        self.views = Views(kit, lanes=lanes)
        self.requests = Requests(kit, views=self.views, finetunes=finetuning.finetunes)
        self.imagine = Imagine(kit, views=self.views)
        self.draw = Draw(kit)
