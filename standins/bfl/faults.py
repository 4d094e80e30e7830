"""The troubles that are BFL's own; the others are those of `standins.base.faults`."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from standins.base.faults import Handler, Trouble, answers

Result = dict[str, Any]
_RESULT = re.compile(r"/results/[0-9a-f]{32}/")


def giant_refusal(size: int = 8_000_000) -> Trouble:
    """Refuse with a 422 that echoes a request of `size` bytes."""
    detail = {
        "type": "value_error",
        "loc": ["body", "image"],
        "msg": "Value error, Invalid base64 image",
        "input": {"prompt": "a secret prompt", "image": "A" * size},
        "ctx": {},
        "url": "https://errors.pydantic.dev/2.10/v/value_error",
    }
    return answers(422, {"detail": [detail]})


def names_dead_link() -> Trouble:
    """Say where the finished picture lies, and name a place where nothing does."""

    def change(result: Result) -> Result:
        return result | {"sample": _RESULT.sub(f"/results/{'0' * 32}/", result["sample"])}

    return _changes(change)


def names_seed(seed: object) -> Trouble:
    """Say of the finished picture that it was drawn with this seed, whatever that is."""

    def change(result: Result) -> Result:
        return result | {"seed": seed}

    return _changes(change)


def _changes(change: Callable[[Result], Result]) -> Trouble:
    """Change the result of a task that is ready."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer: dict[str, Any] = json.loads(cast("bytes", cast("web.Response", await handler(request)).body))
        if answer.get("result"):
            answer["result"] = change(answer["result"])
        return web.json_response(answer)

    return trouble
