"""Finds the request or the image that a member points at, and whether it may be shown to them here."""

from bot.discord.client import Interaction
from bot.workflows.base.cards import Image
from bot.workflows.base.types import PICTURES
from bot.workflows.drawing.types import RequestView
from cogs.base.finding import find_image, find_view


async def request_of(interaction: Interaction, job_id: str) -> RequestView:
    """The request with that id, of this community and fit for this channel.

    Raises:
        Refused: there is none, or it was made in an age-restricted channel and this is none.
    """
    view = await find_view(interaction, job_id, kind=PICTURES)
    assert isinstance(view, RequestView), "jobs of that kind are requests"
    return view


async def image_of(interaction: Interaction, image_id: str) -> tuple[RequestView, Image]:
    """The image with that id, and its request.

    Raises:
        Refused: there is none here, or it was made in an age-restricted channel and this is none.
    """
    view, image = await find_image(interaction, image_id)
    assert isinstance(view, RequestView), "jobs of that kind are requests"
    return view, image
