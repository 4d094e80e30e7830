"""Points discord.py at another Discord than the real one: two class attributes are all it takes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


@contextmanager
def pointed_at(origin: str) -> Generator[None]:
    """Every bot of this process talks to `origin` meanwhile. The address of a RESUME comes with READY."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = f"{origin}/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"{origin.replace('http', 'ws', 1)}/gateway/")
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before
