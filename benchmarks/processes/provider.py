"""`python -m benchmarks.processes.provider`: the stand-in of Black Forest Labs in a process of its own.

Its pictures are made once and differ only in a comment, so that serving them costs the machine next to nothing;
everything else is the stand-in's own. `/control/tasks` tells what it has seen.
"""

import argparse
import asyncio
import hashlib
import io
import json
import random
import signal
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web
from PIL import Image

from standins.base.serving import serve_on_loopback
from standins.bfl import BflServer
from standins.bfl.records import Task

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pictures:
    """JPEGs that look the same and are not: each carries its task's id in a comment."""

    def __init__(self, side: int) -> None:
        file = io.BytesIO()
        Image.effect_noise((side, side), 70).convert("RGB").save(file, "JPEG", quality=92)
        self._bytes = file.getvalue()

    def of(self, task_id: str) -> bytes:
        words = task_id.encode()
        return self._bytes[:2] + b"\xff\xfe" + (len(words) + 2).to_bytes(2) + words + self._bytes[2:]


def app(bfl: BflServer, pictures: Pictures) -> web.Application:
    made = bfl.app()

    @web.middleware
    async def serve_pictures(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/results/"):
            return await handler(request)
        task_id = str(uuid.UUID(request.path.split("/")[2]))
        return web.Response(body=pictures.of(task_id), content_type="image/jpeg")

    async def tasks(_: web.Request) -> web.Response:
        return web.json_response([_describe(task, pictures) for task in bfl.tasks])

    made.middlewares.insert(0, serve_pictures)
    made.router.add_get("/control/tasks", tasks)
    return made


def _describe(task: Task, pictures: Pictures) -> dict[str, object]:
    return {
        "prompt": task.prompt,
        "created": task.created,
        "ready_at": task.ready_at,
        "duration": task.duration,
        "polls": task.polls,
        "sha256": hashlib.sha256(pictures.of(task.id)).hexdigest(),
    }


async def serve(args: argparse.Namespace) -> None:
    luck = random.Random(args.seed)
    bfl = BflServer(
        credits=1e12,
        active_limit=args.slots,
        kontext_max_limit=args.slots,
        duration=lambda _: max(luck.gauss(args.mean, args.deviation), 0.01),
    )
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with serve_on_loopback(app(bfl, Pictures(args.side))) as origin:
        print(json.dumps({"origin": origin}), flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processes.provider", description=__doc__)
    parser.add_argument("--mean", type=float, default=20.0, help="seconds that a picture takes")
    parser.add_argument("--deviation", type=float, default=2.0, help="seconds")
    parser.add_argument("--slots", type=int, default=24, help="pictures drawn at once")
    parser.add_argument("--side", type=int, default=64, help="pixels of a picture's side")
    parser.add_argument("--seed", type=int, default=1, help="of the times: equal for every bot of a comparison")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
