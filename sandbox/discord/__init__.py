"""A small Discord over real sockets, for what a simulator in the same process cannot show.

An unmodified discord.py bot is pointed at it with `pointed_at`. Tests drive it as a person would (`LocalDiscord`);
benchmarks run it in a process of its own (`python -m sandbox.discord`) and steer it over HTTP.
"""

from sandbox.discord.faults import (
    Fault,
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
from sandbox.discord.http import Bucket
from sandbox.discord.interaction import Interaction
from sandbox.discord.pointing import pointed_at
from sandbox.discord.server import LocalDiscord
from sandbox.discord.state import Attachment, Channel, File, Guild, Message, User, upload
from sandbox.discord.world import Request

__all__ = [
    "Attachment",
    "Bucket",
    "Channel",
    "Fault",
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
