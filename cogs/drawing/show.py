"""`/show`: an old request, finetune or registration with live buttons again, here; “Show details” on a message;
and `/history`, which has the ids."""

import contextlib
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.cards.drawing.details import request_details
from bot.cards.drawing.history import history_text
from bot.discord.buttons import Answer, Press, acknowledge, card_of, mark_answered
from bot.discord.client import Client, Interaction, Showable
from bot.errors import Refused
from bot.workflows.base.cards import CardView
from bot.workflows.drawing.types import RequestView
from cogs.base.asking import check_place
from cogs.base.finding import IMAGE_ID, check_visible, pointed_at, pointer
from cogs.base.options import Pointer
from cogs.drawing.finding import image_of, request_of
from cogs.reviewing.moderators import moderates

HISTORY = 10
"""Requests that `/history` lists."""


class Show(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(
        job="The id of a request or registration (3k9x2f) or of one picture (3k9x2f-2), or a link to its message"
    )
    async def show(self, interaction: Interaction, job: Pointer) -> None:
        """Show an earlier request, a finetune or a registration here, with buttons that work."""
        check_place(interaction)
        await acknowledge(interaction, Answer.PUBLIC)
        pointed = await pointed_at(interaction, job)
        if IMAGE_ID.fullmatch(pointed):
            view, image = await image_of(interaction, pointed)
            await check_visible(interaction, view.job)
            await self._client.services.delivery.answer(interaction, view, image)
        else:
            _, view = await find_showable(interaction, pointed)
            await check_visible(interaction, view.job)
            await show_here(interaction, view)
        mark_answered(interaction)

    @app_commands.command()
    async def history(self, interaction: Interaction) -> None:
        """Show your last requests here, with their ids for /show."""
        await acknowledge(interaction, Answer.PRIVATE)
        assert interaction.guild_id, "commands are in communities only"
        views = await self._client.services.drawing.views.newest(
            guild_id=interaction.guild_id, owner_id=interaction.user.id, limit=HISTORY
        )
        await interaction.edit_original_response(content=history_text(views))


async def show_here(interaction: Interaction, view: CardView) -> None:
    """What is under way moves: the new message is its card from now on, and will show its end."""
    services, old = interaction.client.services, view.job
    card_id, channel_id = card_of(interaction), interaction.channel_id
    if view.ended or card_id is None or channel_id is None:
        await services.delivery.answer(interaction, view)
        return
    if interaction.user.id != old.owner_id and not await moderates(interaction):
        raise Refused(f"This is still under way in <#{old.channel_id}>. Only <@{old.owner_id}> can move it here.")
    await services.drawing.requests.move_card(old, message_id=card_id, channel_id=channel_id)
    mark_answered(interaction)
    services.delivery.remember(old.id, interaction)
    _, moved = await find_showable(interaction, old.id)
    await services.delivery.show(moved)
    if old.message_id is not None:
        await _remove(interaction.client, old.channel_id, old.message_id)


async def _remove(client: Client, channel_id: int, message_id: int) -> None:
    """Take the former card away, where that can be done: it would wait for ever."""
    channel = client.get_partial_messageable(channel_id)
    with contextlib.suppress(discord.HTTPException, aiohttp.ClientError, TimeoutError):
        await channel.get_partial_message(message_id).delete()


async def show_finetune_card(interaction: Interaction, finetune_id: str) -> None:
    """From a list or details that only the presser sees: the card itself, here, also where the old one is gone."""
    check_place(interaction)
    _, view = await find_showable(interaction, finetune_id)
    await check_visible(interaction, view.job)
    await show_here(interaction, view)
    mark_answered(interaction)


async def find_showable(interaction: Interaction, job_id: str) -> tuple[Showable[Any], CardView]:
    """The request, finetune or registration with that id, as its feature finds it for the asker.

    Raises:
        Refused: there is none, or the asker may not know of it here.
    """
    view = await interaction.client.services.views.of(job_id)
    showable = interaction.client.showables[view.job.kind if view else "imagine"]
    return showable, await showable.find(interaction, job_id)


@app_commands.context_menu(name="Show details")
async def show_details(interaction: Interaction, message: discord.Message) -> None:
    """The exact parameters, prices and times of what a message of the bot shows."""
    await acknowledge(interaction, Answer.PRIVATE)
    showable, view = await find_showable(interaction, pointer(interaction, message).partition("-")[0])
    await showable.show_details(interaction, view)


async def show_request_details(interaction: Interaction, view: RequestView) -> None:
    """All that is known about a request, for the asker alone."""
    await interaction.edit_original_response(content=request_details(view))


async def setup(client: Client) -> None:
    client.showables["imagine"] = Showable(request_of, show_request_details)
    client.presses.register("fin:card", Press(show_finetune_card, Answer.PUBLIC))
    await client.add_cog(Show(client))
    client.tree.add_command(show_details)
