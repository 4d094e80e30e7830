"""What every measured bot has in common: its arguments, a millisecond ticker, and JSON lines to steer it by."""

import argparse
import asyncio
import ctypes
import gc
import json
import logging
import os
import signal
import sys
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import LIMIT, Json, Ticker

TOKEN = "a-token-for-a-local-discord"  # noqa: S105 - it opens nothing
KEY = "sandbox-key"

Verb = Callable[..., Awaitable[Json | None]]


def arguments(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog)
    parser.add_argument("--discord", required=True, help="origin of the local Discord")
    parser.add_argument("--provider", required=True, help="origin of the image service")
    parser.add_argument("--folder", type=Path, required=True, help="where it may write")
    parser.add_argument("--slots", type=int, default=24, help="pictures drawn at once")
    parser.add_argument("--trace", action="store_true", help="count every allocation; slow")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return parser


def memory(*, collect: bool = True) -> Json:
    """Bytes: of the process, of it alone, and of Python's own objects where those are counted."""
    if collect:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
    usage = psutil.Process(os.getpid()).memory_full_info()
    traced = tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else None
    return {"rss": usage.rss, "uss": usage.uss, "traced": traced}


async def answer(verbs: Mapping[str, Verb]) -> None:
    """Say that the bot is there, then do what each line asks, until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    lines = asyncio.StreamReader(limit=LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    ticker: list[Ticker] = []

    async def start_ticker() -> None:
        ticker.append(Ticker())

    async def stalls() -> Json:
        return ticker[0].take()

    async def tell_memory() -> Json:
        return memory()

    common: dict[str, Verb] = {"tick": start_ticker, "stalls": stalls, "memory": tell_memory}
    all_verbs = common | dict(verbs)

    async def listen() -> None:
        while line := await lines.readline():
            asked: dict[str, Any] = json.loads(line)
            _say(await all_verbs[asked.pop("verb")](**asked) or {})

    _say({"ready": True})
    listening = asyncio.create_task(listen())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (listening, stopping):
        task.cancel()
    if listening.done() and not listening.cancelled():
        listening.result()


def _say(words: Json) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()
