"""What Discord's refusals mean, by its error codes.

Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes, on 2026-11-30.
"""

import discord

from bot.discord.permissions import missing
from bot.errors import BotError, Broken, Refused, Unavailable
from bot.workflows.base.cards import PlaceGone, ThreadLocked

ACKNOWLEDGED = 40060
INVALID_FORM = 50035
ARCHIVED = 50083
LOCKED = 160005
FILTERED = 20009
NO_PERMISSION = 50013
TOO_LARGE = 40005
UNKNOWN_CHANNEL = 10003
UNKNOWN_GUILD = 10004

GONE = {10008, 50005}
"""Unknown message, another author's message: it can never be edited again, but a new one may be posted."""


def is_too_large(error: discord.HTTPException) -> bool:
    return error.status == 413 or error.code == TOO_LARGE


def refusal_of_files(error: discord.HTTPException) -> str | None:
    """Why Discord does not take a message with files which it may take without them; None where files are not why."""
    if is_too_large(error):
        return "They are too large for Discord, also as smaller copies."
    if error.code == FILTERED:
        return "Discord's own filter does not let them into this channel."
    if error.code == NO_PERMISSION:
        return "The bot may not attach files here: it needs “Attach Files”."
    if error.status == 400 and error.code not in {ARCHIVED, LOCKED, ACKNOWLEDGED}:
        return f"Discord does not take them here (code {error.code})."
    return None


def meaning(error: discord.HTTPException, client: discord.Client, guild_id: int, channel_id: int) -> BotError:
    """The refusal of a message in that channel as one of the bot's own errors."""
    place = f"<#{channel_id}>"
    if error.status == 429:
        wait = error.response.headers.get("Retry-After", "")
        return Unavailable("Discord asks the bot to wait.", retry_after=float(wait) if wait.isdecimal() else None)
    if error.status >= 500 or error.status == 401:
        return Unavailable("Discord has trouble just now.")
    if error.code in {UNKNOWN_CHANNEL, UNKNOWN_GUILD}:
        return PlaceGone(f"The channel {place} is gone, or the bot was removed from it.")
    if error.code in {ARCHIVED, LOCKED}:
        return ThreadLocked(f"The thread {place} is locked or archived, so nothing can be posted there.")
    if error.code == FILTERED:
        return Refused(f"Discord's own filter does not let this into {place}.")
    if is_too_large(error):
        return Refused(f"This is too large for Discord in {place}.")
    if error.status == 404:
        return Refused(f"Discord does not find {place}, or a message in it, just now.")
    if error.status == 403:
        return Refused(_lacking(client, guild_id, channel_id))
    return Broken(f"Discord did not accept a card ({error.status}, code {error.code}).")


def _lacking(client: discord.Client, guild_id: int, channel_id: int) -> str:
    """Which permission is missing, as far as the bot can see for itself."""
    guild = client.get_guild(guild_id)
    channel = guild.get_channel_or_thread(channel_id) if guild else None
    me = guild.get_member(client.user.id) if guild and client.user else None
    nothing = discord.Permissions.none()
    granted = channel.permissions_for(me) if channel and me else nothing
    needed = missing(granted, channel) or missing(nothing, channel)
    return f"The bot may not post in <#{channel_id}>. It needs there: {', '.join(needed)}."
