"""Has SimCord refuse what Discord refuses in threads and for files; by itself it takes all of that."""

from typing import Any

import discord
import simcord
from simcord.backend.errors import BackendError


class Refusals:
    """What the simulated Discord refuses from now on, over every restart of the bot."""

    def __init__(self, env: simcord.Env) -> None:
        self._backend = env.backend
        self.filtered: set[int] = set()
        """Channels into which Discord's own filter lets no file of the bot."""
        self._prepare = self._backend.prepare_message
        self._edit = self._backend.edit_message
        self._change = self._backend.edit_channel
        vars(self._backend).update(
            prepare_message=self._prepare_message, edit_message=self._edit_message, edit_channel=self._edit_channel
        )

    def _prepare_message(self, channel_id: int, author_id: int, content: str | None = "", **options: Any) -> Any:
        if author_id == self._backend.bot_user.id:
            files = bool(options.get("attachments"))
            self._check_filter(channel_id, files=files)
            if options.get("interaction_metadata") is None and options.get("webhook_id") is None:
                self._check_thread(channel_id)
                if files and not self._may(channel_id, "attach_files"):
                    raise BackendError(403, 50013, "Missing Permissions")
        return self._prepare(channel_id, author_id, content, **options)

    def _edit_message(self, channel_id: int, message_id: int, fields: dict[str, Any]) -> Any:
        thread = self._backend.channels[channel_id].thread_metadata
        if thread is not None and thread.archived:
            raise BackendError(400, 50083, "Thread is archived")
        self._check_filter(channel_id, files=bool(fields.get("attachments")))
        return self._edit(channel_id, message_id, fields)

    def _edit_channel(self, channel_id: int, changes: Any, **options: Any) -> Any:
        """Nobody wakes a locked thread who does not manage threads."""
        thread = self._backend.channels[channel_id].thread_metadata
        wakes = options.get("thread_metadata") == {"archived": False}
        if wakes and thread is not None and thread.locked and not self._may(channel_id, "manage_threads"):
            raise BackendError(403, 50013, "Missing Permissions")
        return self._change(channel_id, changes, **options)

    def _check_filter(self, channel_id: int, *, files: bool) -> None:
        if files and channel_id in self.filtered:
            raise BackendError(400, 20009, "Explicit content cannot be sent to the desired recipient(s)")

    def _check_thread(self, channel_id: int) -> None:
        """A post wakes a thread, unless it is locked and the bot does not manage threads."""
        thread = self._backend.channels[channel_id].thread_metadata
        if thread is None:
            return
        if thread.locked and not self._may(channel_id, "manage_threads"):
            if thread.archived:
                raise BackendError(400, 50083, "Thread is archived")
            raise BackendError(400, 160005, "This thread is locked")
        if thread.archived:
            self._change(channel_id, {}, thread_metadata={"archived": False})

    def _may(self, channel_id: int, permission: str) -> bool:
        guild_id = self._backend.channels[channel_id].guild_id
        if guild_id is None:
            return True
        granted = self._backend.compute_permissions(guild_id, self._backend.bot_user.id, channel_id)
        return bool(getattr(discord.Permissions(granted), permission))
