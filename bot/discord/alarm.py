"""Posts to the admin's own channel."""

import logging

import aiohttp
import discord

from bot import limits
from bot.config import Settings

log = logging.getLogger(__name__)


async def tell_admin(client: discord.Client, settings: Settings, sentence: str) -> bool:
    """Post to the admin's channel, where one is set. Never raises: the log has the sentence, too.

    False where Discord did not take it, and may take it later.
    """
    if settings.admin_channel_id is None:
        return True
    if not client.is_ready():
        return False
    try:
        await client.get_partial_messageable(settings.admin_channel_id).send(sentence[: limits.MESSAGE_CHARACTERS])
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.warning("The admin's channel took no message: %s", error)
        return False
    return True
