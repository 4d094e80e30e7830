"""A small Discord over real sockets, for what a simulator in the same process cannot show.

An unmodified discord.py bot is pointed at it with `pointed_at`. Tests drive it as a person would (`LocalDiscord`);
benchmarks run it in a process of its own (`python -m standins.discord`) and steer it over HTTP.
"""

from standins.discord.faults import (
    disconnected,
    dropped,
    expired_token,
    failing,
    forbidden,
    held,
    lost_answer,
    rate_limited,
    slow,
    unauthorized,
)
from standins.discord.interaction import Interaction
from standins.discord.pointing import pointed_at
from standins.discord.rest.front import Bucket
from standins.discord.server import LocalDiscord
from standins.discord.state import Attachment, Channel, File, Guild, Message, User, upload
from standins.discord.world import Request

__all__ = [
    "Attachment",
    "Bucket",
    "Channel",
    "File",
    "Guild",
    "Interaction",
    "LocalDiscord",
    "Message",
    "Request",
    "User",
    "disconnected",
    "dropped",
    "expired_token",
    "failing",
    "forbidden",
    "held",
    "lost_answer",
    "pointed_at",
    "rate_limited",
    "slow",
    "unauthorized",
    "upload",
]
