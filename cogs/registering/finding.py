"""What the commands and buttons of registrations have in common: finding one, and showing what has become of it."""

from discord import InteractionResponseType

from bot.discord.buttons import say
from bot.discord.client import Interaction
from bot.errors import Refused
from bot.workflows.registering.types import Details, RegistrationView
from cogs.base.asking import moderates
from cogs.base.finding import check_age, in_sight
from storage.registering import registrations
from storage.registering.transitions import RegistrationState


async def registration_of(interaction: Interaction, registration_id: str) -> RegistrationView:
    """The submitted registration with that id, of this community, that the asker may know of.

    Raises:
        Refused: there is none, in the same words as where its channel is closed to them.
    """
    view = await interaction.client.services.registering.registrations.views.of(registration_id)
    if view is None or view.job.guild_id != interaction.guild_id or not await _may_know(interaction, view):
        raise Refused("There is no such registration here, or you cannot see its channel.")
    await check_age(interaction, view.job)
    return view


async def details_of(interaction: Interaction, registration_id: str) -> Details:
    """What the presser's own draft says. It asks nobody but the database: a form has to be there within 3 seconds.

    Raises:
        Refused: it is not theirs, or no draft any more.
    """
    async with interaction.client.services.kit.database.read() as db:
        found = await registrations.find(db, registration_id)
    if found is None or found.owner_id != interaction.user.id or found.guild_id != interaction.guild_id:
        raise Refused("There is no such draft of yours.")
    if found.state is not RegistrationState.DRAFT:
        raise Refused("This is submitted already: its card in the channel says how far it is.")
    return Details.model_validate_json(found.details)


async def show_registration(interaction: Interaction, registration_id: str) -> RegistrationView:
    """Bring a registration's card up to date. Who pressed on another message is told where the card is."""
    services = interaction.client.services
    view = await services.registering.registrations.views.of(registration_id)
    assert view, "it was there just now"
    await services.delivery.show(view)
    silent = interaction.response.type is InteractionResponseType.deferred_message_update
    card_id, pressed = view.job.message_id, interaction.message
    if silent and card_id is not None and pressed is not None and pressed.id != card_id:
        job = view.job
        await say(interaction, f"Done: https://discord.com/channels/{job.guild_id}/{job.channel_id}/{card_id}")
    return view


async def _may_know(interaction: Interaction, view: RegistrationView) -> bool:
    """Its owner, the moderators, and whoever sees its card."""
    if interaction.user.id == view.registration.owner_id or await in_sight(interaction, view.job.channel_id):
        return True
    return await moderates(interaction)
