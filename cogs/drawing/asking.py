"""From an interaction to a request under way."""

import logging
from collections.abc import Mapping

from bot.discord.buttons import Answer, acknowledge, answered_as, mark_answered
from bot.discord.client import Interaction
from bot.errors import MachineTrouble
from bot.workflows.base.types import Upload
from bot.workflows.drawing.types import ImageRequest
from cogs.base.asking import check_place, origin

log = logging.getLogger(__name__)


async def draw(interaction: Interaction, request: ImageRequest, uploads: Mapping[str, Upload] | None = None) -> None:
    """Accept a request, and make the answer to this interaction its card.

    Raises:
        Refused: the request cannot be drawn or is above a limit, or the bot could not deliver here.
        Unavailable: the bot is about to restart, or Discord does not hand over a file.
    """
    services = interaction.client.services
    check_place(interaction)
    if answered_as(interaction) is None:
        await acknowledge(interaction, Answer.PUBLIC)
    job = await services.drawing.requests.accept(origin(interaction), request, uploads)
    mark_answered(interaction)
    services.delivery.remember(job.id, interaction)
    try:
        view = await services.drawing.views.of(job.id)
        assert view, "it was accepted just now"
        await services.delivery.show(view)
    except MachineTrouble as trouble:  # the job shows its card; who was told to repeat this would pay twice
        log.warning("The card of %s could not be shown yet: %s", job.id, trouble)
