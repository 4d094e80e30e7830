"""Drawing, put together."""

from collections.abc import Mapping

from bot.workflows.base.kit import Kit
from bot.workflows.drawing.job import RequestJob
from bot.workflows.drawing.picture_job import PictureJob
from bot.workflows.drawing.verbs import Requests
from bot.workflows.drawing.views import RequestViews
from bot.workflows.finetuning.feature import Finetuning
from storage.base.queue import Lane


class Drawing:
    """The parts of drawing that the rest of the bot uses."""

    def __init__(self, kit: Kit, *, lanes: Mapping[str, Lane], finetuning: Finetuning) -> None:
        self.views = RequestViews(kit, lanes=lanes)
        self.requests = Requests(kit, finetunes=finetuning.finetunes)
        self.request_job = RequestJob(kit, views=self.views)
        self.picture_job = PictureJob(kit)
