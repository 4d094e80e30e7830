"""What all requests have in common: who asks, where we are, which record is meant, and pages."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from standins.astria.records import Prompt, Tune
from standins.astria.service import Refusal, Service

R = TypeVar("R", Tune, Prompt)

_USUAL_PAGE = 20
_LARGEST_PAGE = 120


def authenticate(service: Service, request: web.Request) -> None:
    """
    Raises:
        Refusal: 401, the key is missing or wrong.
    """
    word, _, key = request.headers.get("Authorization", "").partition(" ")
    if word != "Bearer" or key not in service.keys:
        raise Refusal(401, {"error": "Unauthorized"})


def origin_of(service: Service, request: web.Request) -> str:
    """Where the pictures in an answer lie."""
    return service.delivery_origin or str(request.url.origin())


def find_tune(service: Service, request: web.Request) -> Tune:
    """The finetune that a path names.

    Raises:
        Refusal: 404, there is none, or it was deleted after 30 days.
    """
    if tune := service.tune(int(request.match_info["tune"])):
        return tune
    raise Refusal(404, {"error": "Not found"})


def find_prompt(service: Service, request: web.Request) -> Prompt:
    """The order that a path names.

    Raises:
        Refusal: 404, there is none on this tune, or it was deleted after 30 days.
    """
    prompt = service.prompt(int(request.match_info["prompt"]))
    tune = request.match_info.get("tune")
    if prompt is None or (tune is not None and int(tune) not in {prompt.tune_id, prompt.pack_of}):
        raise Refusal(404, {"error": "Not found"})
    return prompt


def page(records: list[R], query: Mapping[str, str], *, largest_offset: int) -> list[R]:
    """The part of a list, newest first, that was asked for.

    Raises:
        Refusal: 400, an offset that is too large.
    """
    offset, limit = _count(query.get("offset"), 0), _count(query.get("limit"), _USUAL_PAGE)
    if offset > largest_offset:
        raise Refusal(400, {"error": f"offset is too large: use before_id beyond {largest_offset}"})
    if before := _count(query.get("before_id"), 0):
        records = [record for record in records if record.id < before]
    return records[offset : offset + min(limit, _LARGEST_PAGE)]


def check_callbacks(*links: Any) -> None:
    """
    Raises:
        Refusal: 400, a callback that is no address.
    """
    for link in links:
        if link and (not isinstance(link, str) or urlsplit(link).scheme not in {"http", "https"}):
            raise Refusal(400, {"error": "callback is not a valid URL"})


def blame(problems: dict[str, list[str]], field: str, message: str, *, when: bool) -> None:
    """Add to a 422 what is wrong with a field, if it is."""
    if when:
        problems.setdefault(field, []).append(message)


def _count(text: str | None, usual: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else usual
