"""Whatever has a card: a request for pictures, a finetune, or a registration."""

from bot.workflows.drawing.types import RequestView
from bot.workflows.drawing.views import Views
from bot.workflows.finetuning.types import FinetuneView
from bot.workflows.finetuning.views import FinetuneViews
from bot.workflows.registering.types import RegistrationView
from bot.workflows.registering.views import RegistrationViews

Shown = RequestView | FinetuneView | RegistrationView


class AllViews:
    """Finds what an id stands for."""

    def __init__(self, requests: Views, finetunes: FinetuneViews, registrations: RegistrationViews) -> None:
        self._requests = requests
        self._finetunes = finetunes
        self._registrations = registrations

    async def of(self, job_id: str) -> Shown | None:
        """The request, the finetune or the registration with that id; None where there is none of them."""
        return (
            await self._requests.of(job_id) or await self._finetunes.of(job_id) or await self._registrations.of(job_id)
        )
