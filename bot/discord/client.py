"""The Discord side of the bot: what it asks Discord for, its commands, and how a failed one is explained."""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import aiohttp
import discord
from discord import InteractionResponseType, InteractionType, app_commands
from discord.app_commands import AppCommandError, CommandInvokeError
from discord.ext import commands

from bot.cards.base.faces import Faces
from bot.cards.base.words import undelivered_text
from bot.discord.buttons import PATTERN, PressButton, Presses, answered_as, explain, say
from bot.discord.delivery import DiscordDelivery
from bot.discord.once_more import repeat_broken_requests
from bot.jobs.worker import Worker
from bot.workflows.base.cards import CardView, Views
from bot.workflows.base.forms import Forms
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import CARDS
from bot.workflows.base.undelivered import Undelivered
from bot.workflows.community.feature import CommunityFeature
from bot.workflows.drawing.feature import Drawing
from bot.workflows.finetuning.feature import Finetuning
from bot.workflows.registering.feature import Registering
from bot.workflows.reviewing.feature import Reviewing
from storage.base import notes, queue

log = logging.getLogger(__name__)

EXTENSIONS = (
    "cogs.drawing.commands",
    "cogs.drawing.buttons",
    "cogs.drawing.edit",
    "cogs.drawing.show",
    "cogs.community.account",
    "cogs.finetuning.training_sets",
    "cogs.finetuning.commands",
    "cogs.finetuning.buttons",
    "cogs.drawing.sweeps",
    "cogs.registering.commands",
    "cogs.registering.buttons",
    "cogs.registering.wallet",
    "cogs.registering.verify",
    "cogs.reviewing.buttons",
    "cogs.reviewing.commands",
    "cogs.reviewing.audit",
    "cogs.community.admin",
)
BUTTON = discord.ComponentType.button.value
_SYNCED = "commands"
"""The note that holds the digest of the commands that Discord has."""


@dataclass(frozen=True)
class Services:
    """What a command may ask for something."""

    kit: Kit
    drawing: Drawing
    finetuning: Finetuning
    registering: Registering
    reviewing: Reviewing
    community: CommunityFeature
    forms: Forms
    undelivered: Undelivered
    views: Views
    """Load the view of a job that has a card."""
    faces: Faces
    """Draw the card of a view."""
    delivery: DiscordDelivery
    worker: Worker
    admin_user_ids: frozenset[int] = frozenset()


View = TypeVar("View", bound=CardView)


@dataclass(frozen=True)
class Showable(Generic[View]):
    """How `/show` and “Show details” treat one kind of what has a card."""

    find: "Callable[[Interaction, str], Awaitable[View]]"
    """Finds it by the id of its job for the asker; refuses where they may not know of it."""
    show_details: "Callable[[Interaction, View], Awaitable[None]]"
    """Answers with all that is known about it, for the asker alone."""


class Tree(app_commands.CommandTree["Client"]):
    """The commands, in communities only: elsewhere the bot could not post what takes longer than 15 minutes."""

    async def on_error(self, interaction: "Interaction", error: AppCommandError, /) -> None:
        doing = f"/{interaction.command.qualified_name}" if interaction.command else "a command"
        match error:
            case CommandInvokeError(original=original):
                await explain(interaction, original, doing=doing)
            case app_commands.TransformerError(value=value):
                await say(interaction, f"“{str(value)[:80]}” is not a value that this option takes.")
            case app_commands.CheckFailure():
                await say(interaction, "You may not use this command.")
            case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
                await say(interaction, "This command has changed. Please reload Discord (Ctrl+R) and try again.")
            case _:
                await explain(interaction, error, doing=doing)
        await self.client.tell_undelivered(interaction)


class Client(commands.AutoShardedBot):
    """The bot as Discord sees it. Nothing of it runs beside Discord's own connection: the workers stand outside.

    `services` is set when every part is there, before the client is started.
    """

    services: Services

    def __init__(self) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            tree_cls=Tree,
            help_command=None,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self.presses = Presses(after=self.tell_undelivered)
        self.showables: dict[str, Showable[Any]] = {}
        """By the kind of the job; the cogs add theirs when they are loaded."""

    @property
    def reads_messages(self) -> bool:
        """Whether Discord shows the bot what others attach, beyond messages whose menu was used (Message Content)."""
        flags = self.application_flags
        return flags.gateway_message_content or flags.gateway_message_content_limited

    async def alarm(self, sentence: str) -> None:
        """Tell the admin. Never raises."""
        await self.services.kit.alarm(sentence)

    async def setup_hook(self) -> None:
        repeat_broken_requests(self)
        self.add_dynamic_items(PressButton)
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        await self._sync()

    async def on_interaction(self, interaction: "Interaction") -> None:
        """Answer sent forms, and what no pattern matches. discord.py answers commands and our buttons itself, and keeps
        none of our forms."""
        data: Any = interaction.data
        match interaction.type:
            case InteractionType.modal_submit:
                await self.presses.handle(interaction, data["custom_id"])
            case InteractionType.component if data["component_type"] != BUTTON or not PATTERN.fullmatch(
                data["custom_id"]
            ):
                await self.presses.handle(interaction, "")
            case _:
                pass

    async def on_app_command_completion(self, interaction: "Interaction", _command: object) -> None:
        """A command was answered: its person also reads what could not be shown to them before."""
        await self.tell_undelivered(interaction)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Questions that were asked there are asked anew."""
        await self.services.reviewing.reminders.replace_channel(channel.guild.id, channel.id)

    async def on_ready(self) -> None:
        """Deliver at once what has waited for Discord."""
        async with self.services.kit.work() as tx:
            await queue.hasten(tx.db, lane=CARDS, now=tx.now)
            tx.wake_worker()

    async def tell_undelivered(self, interaction: "Interaction") -> None:
        """Tell a person what could not be shown to them where it belongs, below the answer to what they have done.

        Where that cannot be added to their answer, they read it at their next command. Never raises for Discord's sake.
        """
        undelivered, user_id = self.services.undelivered, interaction.user.id
        unread = await undelivered.of(user_id)
        if not unread:
            return
        try:
            if not await _takes_more(interaction):
                return
            text, subjects = undelivered_text(unread)
            await interaction.followup.send(text, ephemeral=True)
        except (discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError) as error:
            log.warning("A person could not be told what was not delivered: %s", error)
            return
        for subject in subjects:
            await undelivered.mark_read(user_id, subject)

    async def on_message(self, message: discord.Message, /) -> None:
        """The bot reads no messages, also not those that mention it."""

    async def _sync(self) -> None:
        """Register the commands at Discord, if they differ from those registered last."""
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        text = json.dumps([self.application_id, payload], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        database = self.services.kit.database
        async with database.read() as db:
            synced = await notes.find(db, _SYNCED)
        if synced == digest:
            return
        try:
            await self.tree.sync()
        except discord.HTTPException:
            log.exception("Discord did not take the commands; it keeps the former ones until the next start.")
            return
        async with database.write() as db:
            await notes.save(db, _SYNCED, digest)
        log.info("Registered %d commands at Discord.", len(payload))


async def _takes_more(interaction: "Interaction") -> bool:
    """Whether a further message would be one of its own: the first one after “thinking…” would become that answer."""
    answer = answered_as(interaction)
    if answer is InteractionResponseType.deferred_channel_message:
        try:
            return not (await interaction.original_response()).flags.loading
        except discord.NotFound:
            return True
    return answer in {InteractionResponseType.channel_message, InteractionResponseType.deferred_message_update}


Interaction = discord.Interaction[Client]
