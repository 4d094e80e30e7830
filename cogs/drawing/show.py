"""`/show`: an old request, finetune or registration with live buttons again, here; and “Show details” on a message."""

import contextlib

import discord
from discord import app_commands
from discord.ext import commands

from bot.cards.drawing.details import request_details
from bot.cards.registering.details import registration_details
from bot.discord.buttons import Answer, acknowledge, card_of, settle
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.base.cards import CardView
from bot.workflows.drawing.types import RequestView
from bot.workflows.finetuning.types import FinetuneView
from bot.workflows.registering.types import RegistrationView
from cogs.base.asking import check_place, moderates
from cogs.base.finding import (
    IMAGE_ID,
    check_age,
    check_visible,
    finetune_of,
    image_of,
    pointed_at,
    pointer,
    request_of,
)
from cogs.finetuning.buttons import show_details as show_finetune
from cogs.registering.finding import registration_of
from storage.base import jobs
from storage.base.jobs import Job


class Show(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(
        job="The id of a request or registration (3k9x2f) or of one picture (3k9x2f-2), or a link to its message"
    )
    async def show(self, interaction: Interaction, job: str) -> None:
        """Show an earlier request, a finetune or a registration here, with buttons that work."""
        check_place(interaction)
        await acknowledge(interaction, Answer.PUBLIC)
        found = await pointed_at(interaction, job)
        if IMAGE_ID.fullmatch(found):
            view, image = await image_of(interaction, found)
            await check_visible(interaction, view.job)
            await self._client.services.delivery.answer(interaction, view, image)
        else:
            view = await shown_of(interaction, found)
            await check_visible(interaction, view.job)
            await self._show(interaction, view)
        settle(interaction)

    async def _show(self, interaction: Interaction, view: CardView) -> None:
        """What is under way moves: the new message is its card from now on, and will show its end."""
        services, old = self._client.services, view.job
        card_id, channel_id = card_of(interaction), interaction.channel_id
        if view.ended or card_id is None or channel_id is None:
            await services.delivery.answer(interaction, view)
            return
        if interaction.user.id != old.owner_id and not await moderates(interaction):
            raise Refused(f"This is still under way in <#{old.channel_id}>. Only <@{old.owner_id}> can move it here.")
        async with services.kit.database.write() as db:
            await jobs.set_message(db, job_id=old.id, message_id=card_id, channel_id=channel_id)
        settle(interaction)
        services.delivery.remember(old.id, interaction)
        await services.delivery.show(await shown_of(interaction, old.id))
        await self._remove(old)

    async def _remove(self, moved: Job) -> None:
        """Take the former card away, where that can be done: it would wait for ever."""
        if moved.message_id is None:
            return
        channel = self._client.get_partial_messageable(moved.channel_id)
        with contextlib.suppress(discord.HTTPException):
            await channel.get_partial_message(moved.message_id).delete()


async def shown_of(interaction: Interaction, found: str) -> CardView:
    """The request, finetune or registration with that id; raises as `request_of`, `finetune_of`, `registration_of`."""
    services = interaction.client.services
    if await services.registering.registrations.views.of(found):
        return await registration_of(interaction, found)
    if not await services.finetuning.views.of(found):
        return await request_of(interaction, found)
    view = await finetune_of(interaction, found)
    await check_age(interaction, view.job)
    return view


@app_commands.context_menu(name="Show details")
async def show_details(interaction: Interaction, message: discord.Message) -> None:
    """The exact parameters, prices and times of what a message of the bot shows."""
    await acknowledge(interaction, Answer.PRIVATE)
    view = await shown_of(interaction, pointer(interaction, message).partition("-")[0])
    if isinstance(view, FinetuneView):
        await show_finetune(interaction, view)
    elif isinstance(view, RegistrationView):
        await interaction.edit_original_response(content=registration_details(view))
    elif isinstance(view, RequestView):
        await interaction.edit_original_response(content=request_details(view))


async def setup(client: Client) -> None:
    await client.add_cog(Show(client))
    client.tree.add_command(show_details)
