"""`python -m standins.discord`: a Discord in a process of its own, steered over HTTP (see `control.py`)."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal

from standins.discord.control import Control
from standins.discord.rest.front import Bucket
from standins.discord.server import LocalDiscord


async def serve(args: argparse.Namespace) -> None:
    discord = LocalDiscord(
        keep_bytes=args.keep_bytes,
        keep_requests=False,
        validate=args.validate,
        compression=args.compression,
        bucket=args.bucket,
    )
    Control(discord, members=args.members, channels=args.channels)
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    origin = await discord.start(args.port)
    print(json.dumps({"origin": origin, "port": int(origin.rpartition(":")[2])}), flush=True)
    await stop.wait()
    await discord.close()


def bucket(words: str) -> Bucket:
    limit, _, window = words.partition("/")
    return Bucket(int(limit), float(window))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m standins.discord", description="A small Discord on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one, which is printed as JSON")
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--keep-bytes", type=int, default=0, help="largest file kept for serving back, in bytes")
    parser.add_argument("--bucket", type=bucket, metavar="N/S", help="N message posts in S seconds in each channel")
    parser.add_argument("--validate", action="store_true", help="check bodies against Discord's OpenAPI document")
    parser.add_argument("--compression", action="store_true", help="compress the gateway when asked")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
