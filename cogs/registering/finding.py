"""What the commands and buttons of registrations have in common: they find one, and show what has become of it."""

from bot.discord.client import Interaction
from bot.errors import Refused
from bot.workflows.registering.types import RegistrationView
from cogs.base.changes import show_card
from cogs.base.finding import check_age, in_sight
from cogs.reviewing.moderators import moderates


async def registration_of(interaction: Interaction, registration_id: str) -> RegistrationView:
    """The submitted registration with that id, of this community, that the asker may know of.

    Raises:
        Refused: there is none, in the same words as where its channel is closed to them.
    """
    view = await interaction.client.services.registering.views.of(registration_id)
    if view is None or view.job.guild_id != interaction.guild_id or not await _may_know(interaction, view):
        raise Refused("There is no such registration here, or you cannot see its channel.")
    await check_age(interaction, view.job)
    return view


async def show_registration(interaction: Interaction, registration_id: str) -> RegistrationView:
    """Bring a registration's card up to date after it was changed."""
    view = await interaction.client.services.registering.views.of(registration_id)
    assert view, "it was changed just now"
    await show_card(interaction, view)
    return view


async def _may_know(interaction: Interaction, view: RegistrationView) -> bool:
    """Its owner, the moderators, and members who see its card."""
    if interaction.user.id == view.registration.owner_id or await moderates(interaction):
        return True
    return await in_sight(interaction, view.job.channel_id)
