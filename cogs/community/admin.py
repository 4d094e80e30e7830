"""`/admin`: a community's settings, and the state of the bot itself."""

from typing import Any, Literal

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from bot import limits
from bot.cards.base.words import money
from bot.cards.community.settings import community_text
from bot.discord.buttons import Answer, acknowledge
from bot.discord.client import Client, Interaction
from bot.discord.permissions import missing
from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.interface import MicroUSD
from bot.story.node.values import address
from bot.workflows.community.models import model_named, painter_named
from bot.workflows.community.types import Balance
from bot.workflows.reviewing.reminders import CHANNEL_GONE, CHOOSE
from cogs.base import options
from cogs.community.choices import suggest_painters

DOLLAR = 1_000_000  # micro-USD

Dollars = Range[float, 0.0, 100_000.0]
ModelList = Range[str, 1, 1000]
Clearable = Literal[
    "moderator_role",
    "review_channel",
    "member_daily",
    "daily_budget_usd",
    "confirm_above_usd",
    "allowed_models",
    "default_model",
    "community_wallet",
]
FIELDS = {
    "moderator_role": "moderator_role_id",
    "review_channel": "review_channel_id",
    "daily_budget_usd": "daily_budget",
    "confirm_above_usd": "confirm_above",
    "community_wallet": "wallet",
}
"""The options whose names are not those of what they set."""
_STATES = {"parked": "waiting for pictures or a moderator"}
"""What a state means, where its name does not say it."""


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Admin(commands.GroupCog, group_name="admin", group_description="This server's settings, and the bot's state"):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(
        moderator_role="Who decides besides the administrators",
        review_channel="Where approval requests are posted; otherwise it is where the picture was asked for",
        safety_cap="The most permissive safety tolerance that members may choose: 0 is strictest",
        member_pictures="How many pictures of one member may be under way at once",
        member_daily="How many pictures a member may have in 24 hours",
        daily_budget_usd="What all members together may spend in 24 hours",
        confirm_above_usd="What may be spent by one request without asking a moderator",
        allowed_models="Which models members may use, with commas between",
        default_model="Which model is used where a member names none",
        community_wallet="The address that gets the tokens of members who have linked no wallet",
        own_decisions="Whether moderators may decide on their own images; each such decision is logged as one",
        member_registrations="How many registrations of one member may be under way at once",
        clear="Take back an earlier choice: no limit, all models, nobody and nowhere in particular",
    )
    @app_commands.autocomplete(default_model=suggest_painters)
    async def settings(
        self,
        interaction: Interaction,
        moderator_role: discord.Role | None = None,
        review_channel: discord.TextChannel | None = None,
        safety_cap: Range[int, 0, 6] | None = None,
        member_pictures: Range[int, 1, 200] | None = None,
        member_daily: Range[int, 1, 10_000] | None = None,
        daily_budget_usd: Dollars | None = None,
        confirm_above_usd: Dollars | None = None,
        allowed_models: ModelList | None = None,
        default_model: options.Choice | None = None,
        community_wallet: options.Address | None = None,
        own_decisions: bool | None = None,
        member_registrations: Range[int, 1, 100] | None = None,
        clear: Clearable | None = None,
    ) -> None:
        """Show or change this server's settings."""
        await acknowledge(interaction, Answer.PRIVATE)
        _check_manager(interaction)
        given: dict[str, Any] = {
            "moderator_role_id": _checked_role(moderator_role) if moderator_role else None,
            "review_channel_id": _checked_channel(review_channel) if review_channel else None,
            "safety_cap": safety_cap,
            "member_pictures": member_pictures,
            "member_daily": member_daily,
            "daily_budget": _money(daily_budget_usd) if daily_budget_usd is not None else None,
            "confirm_above": _money(confirm_above_usd) if confirm_above_usd is not None else None,
            "allowed_models": _keys(allowed_models) if allowed_models is not None else None,
            "default_model": painter_named(default_model).key if default_model is not None else None,
            "wallet": address(community_wallet) if community_wallet is not None else None,
            "own_decisions": own_decisions,
            "member_registrations": member_registrations,
        }
        changes: dict[str, Any] = {FIELDS.get(clear, clear): None} if clear else {}
        changes |= {name: value for name, value in given.items() if value is not None}
        assert interaction.guild_id, "commands are in communities only"
        view = await self._client.services.community.communities.change(
            interaction.guild_id, changes, by=interaction.user.id
        )
        gone = _gone(interaction.guild, view.settings.moderator_role_id, view.settings.review_channel_id)
        await interaction.edit_original_response(content=community_text(view.settings, spent=view.spent, gone=gone))

    @settings.autocomplete("allowed_models")
    async def _suggest_list(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        """The models that could come next after those that are typed already."""
        before, _, last = typed.rpartition(",")
        taken = [part.strip() for part in before.split(",") if part.strip()]
        keys = [model.key for model in catalogue.offered() if model.key not in taken and last.strip() in model.key]
        lists = [", ".join([*taken, key]) for key in keys]
        choices = [Choice(name=text, value=text) for text in lists if len(text) <= limits.CHOICE_CHARACTERS]
        return choices[: limits.CHOICES]

    @app_commands.command()
    async def doctor(self, interaction: Interaction) -> None:
        """Check the database, the queue, the image services and the bot's permissions."""
        await acknowledge(interaction, Answer.PRIVATE)
        await self._check_admin(interaction)
        services = self._client.services
        assert interaction.guild_id, "commands are in communities only"
        health = await services.community.communities.check_health(interaction.guild_id)
        community = health.settings
        requests = [f"{n} {_STATES.get(state, state)}" for state, n in sorted(health.requests.items())]
        lines = [
            "The database answers.",
            f"Requests: {', '.join(requests) or 'none yet'}",
            f"Being worked on just now: {len(services.worker.tasks)}",
            "The bot takes nothing new (drained)." if services.kit.signals.draining else "The bot takes new requests.",
            *([services.kit.machine.describe()] if services.kit.machine else []),
            *[_balance(each) for each in health.balances],
            *[
                f"{service} lacks {count} files of registered images; the bot sends them until it has them."
                for service, count in (await services.registering.count_missing_pins()).items()
            ],
            _place("Here", interaction.channel, interaction.app_permissions),
        ]
        gone = _gone(interaction.guild, community.moderator_role_id, community.review_channel_id)
        if community.moderator_role_id in gone:
            lines.append(f"The moderators' role does not exist any more, so only administrators decide. {CHOOSE}")
        if community.review_channel_id in gone:
            lines.append(f"{CHANNEL_GONE} Approval requests are posted where the request is. {CHOOSE}")
        elif community.review_channel_id and interaction.guild:
            channel = interaction.guild.get_channel(community.review_channel_id)
            granted = channel.permissions_for(interaction.guild.me) if channel else discord.Permissions.none()
            lines.append(_place(f"<#{community.review_channel_id}>", channel, granted))
            role = interaction.guild.get_role(community.moderator_role_id or 0)
            if role and not role.mentionable and not granted.mention_everyone:
                lines.append(
                    f"Reminders cannot notify {role.mention}: let anyone mention that role, or give the bot "
                    f"“Mention @everyone, @here and All Roles” in <#{community.review_channel_id}>."
                )
        await interaction.edit_original_response(
            content="\n".join(f"- {line}" for line in lines)[: limits.ANSWER_CHARACTERS]
        )

    @app_commands.command()
    @app_commands.describe(
        job="The id of a picture or a training, such as 3k9x2f-1: its request's id and which one it is",
        charged_usd="What the provider's bill says it was charged; 0 for nothing",
        refunded_usd="What the provider has paid back of it",
        reference="Of a training that the provider did take: its id (or trigger word) there; the bot waits for it",
    )
    async def settle(
        self,
        interaction: Interaction,
        job: options.Pointer,
        charged_usd: Dollars | None = None,
        refunded_usd: Dollars | None = None,
        reference: options.Choice | None = None,
    ) -> None:
        """Put down what you have found out about a job that may have been charged."""
        await acknowledge(interaction, Answer.PRIVATE)
        await self._check_admin(interaction)
        if charged_usd is None and refunded_usd is None and reference is None:
            raise Refused("Say what you have found out: “charged_usd”, “refunded_usd” or “reference”.")
        services, job_id = self._client.services, job.strip().strip("`").lower()
        charged = MicroUSD(_money(charged_usd)) if charged_usd is not None else None
        refunded = MicroUSD(_money(refunded_usd)) if refunded_usd is not None else None
        await services.finetuning.finetunes.charge_outcome(
            job_id, by=interaction.user.id, charged=charged, reference=reference, refunded=refunded
        )
        view = await services.views.of(job_id.partition("-")[0])
        if view:
            await services.delivery.show(view)
        sentences = [
            f"`{job_id}` is put down as charged {money(charged)}." if charged is not None else "",
            f"{money(refunded)} of `{job_id}` is put down as paid back." if refunded is not None else "",
            f"The bot waits for that training again: `{reference[:60]}`." if reference is not None else "",
        ]
        await interaction.edit_original_response(content="\n".join(line for line in sentences if line))

    @app_commands.command()
    async def drain(self, interaction: Interaction) -> None:
        """Stop the bot: it takes nothing new, saves what is under way, and ends."""
        await acknowledge(interaction, Answer.PRIVATE)
        await self._check_admin(interaction)
        worker = self._client.services.worker
        running = len(worker.tasks)
        what = {0: "Nothing is being worked on.", 1: "What it is working on goes on at the next start."}
        await interaction.edit_original_response(
            content=f"The bot is stopping. {what.get(running, f'{running} pieces of work go on at the next start.')} "
            "Start it again when you are ready."
        )
        await worker.drain()  # the process ends when this is done, so it comes last

    async def _check_admin(self, interaction: Interaction) -> None:
        """
        Raises:
            Refused: not one of the bot's admins, nor its owner.
        """
        admins = self._client.services.admin_user_ids
        if interaction.user.id not in admins and not await self._client.is_owner(interaction.user):
            raise Refused("Only the bot's own admins can do this (the setting ADMIN_USER_IDS).")


def _gone(guild: discord.Guild | None, role_id: int | None, channel_id: int | None) -> set[int]:
    """Which of a community's role and channel do not exist any more."""
    if guild is None:
        return set()
    gone = {role_id} if role_id is not None and guild.get_role(role_id) is None else set[int]()
    return gone | ({channel_id} if channel_id is not None and guild.get_channel(channel_id) is None else set[int]())


def _check_manager(interaction: Interaction) -> None:
    """Discord's own rule for the command can be changed in its settings, so the bot asks, too.

    Raises:
        Refused: the asker does not manage the server.
    """
    if not interaction.permissions.manage_guild:
        raise Refused("Only those who may manage this server can change its settings.")


def _checked_role(role: discord.Role) -> int:
    if role.is_default():
        raise Refused("Everybody has that role, so everybody would be a moderator. Choose another.")
    if role.managed:
        raise Refused("Discord gives that role to a bot or to boosters by itself. Choose one that people are given.")
    return role.id


def _checked_channel(channel: discord.TextChannel) -> int:
    lacking = missing(channel.permissions_for(channel.guild.me), channel)
    if lacking:
        raise Refused(f"The bot lacks {', '.join(f'“{name}”' for name in lacking)} in {channel.mention}.")
    return channel.id


def _money(dollars: float) -> int:
    return round(dollars * DOLLAR)


def _keys(text: str) -> tuple[str, ...]:
    """The models that were listed."""
    keys = dict.fromkeys(model_named(part).key for part in text.split(",") if part.strip())
    if not keys:
        raise Refused("Name at least one model. “clear” allows all again.")
    return tuple(keys)


def _balance(balance: Balance) -> str:
    if balance.left is not None:
        return f"{balance.provider}: {money(balance.left)} left."
    return f"{balance.provider}: {balance.error or 'does not tell its balance.'}"


def _place(name: str, channel: object, granted: discord.Permissions) -> str:
    lacking = missing(granted, channel)
    return f"{name}: lacks {', '.join(lacking)}." if lacking else f"{name}: the bot may do all that it needs."


async def setup(client: Client) -> None:
    await client.add_cog(Admin(client))
