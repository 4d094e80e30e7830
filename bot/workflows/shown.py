"""Whatever has a card: a request for pictures, or a finetune."""

from bot.workflows.finetune import FinetuneView
from bot.workflows.finetune_views import FinetuneViews
from bot.workflows.request import RequestView
from bot.workflows.views import Views

Shown = RequestView | FinetuneView


class AllViews:
    """Finds what an id stands for."""

    def __init__(self, requests: Views, finetunes: FinetuneViews) -> None:
        self._requests = requests
        self._finetunes = finetunes

    async def of(self, job_id: str) -> Shown | None:
        """The request or the finetune with that id; None where there is neither."""
        return await self._requests.of(job_id) or await self._finetunes.of(job_id)
