"""What the bot needs where it posts, by Discord's names in the API and in its settings; and who may look there."""

import discord

_NEEDED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "attach_files": "Attach Files",
    "embed_links": "Embed Links",
    "read_message_history": "Read Message History",
}
_IN_THREADS = {"send_messages_in_threads": "Send Messages in Threads"}


def missing(granted: discord.Permissions, channel: object) -> list[str]:
    """What the bot needs in that channel or thread and does not have, as Discord's settings call it."""
    needed = _NEEDED
    if isinstance(channel, discord.Thread):
        needed = {name: text for name, text in _NEEDED.items() if name != "send_messages"} | _IN_THREADS
    return [text for name, text in needed.items() if not getattr(granted, name)]


def age_restricted(channel: object) -> bool:
    """Whether only adults see this channel; a thread is what its parent is."""
    places = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.ForumChannel, discord.Thread)
    return isinstance(channel, places) and channel.is_nsfw()
