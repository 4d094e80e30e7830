"""What must be true when a request is at its end, whatever happened to the bot on the way."""

import hashlib
import json
from collections.abc import Iterator

from bot.providers.bfl.models import CREDIT
from bot.workflows.base.types import job_id
from standins.discord import Message
from standins.discord.rules import walk
from tests.crash.tables import Row, Tables, read_tables
from tests.crash.world import World

MAYBE = "may have been charged"


def broken_claims(world: World) -> list[str]:
    """Every claim that does not hold, as a sentence."""
    tables = read_tables(world.folder)
    if world.taken is None or [job["id"] for job in tables.requests] != [job_id(world.taken.id)]:
        return [f"there is one request, and not {[job['id'] for job in tables.requests]}"]
    return [
        *tables.complaints,
        *_jobs(world, tables),
        *_payments(world, tables),
        *_journal(tables),
        *_files(world, tables),
        *_card(world, tables),
        *(f"Discord refused {each.kind}: {each.body}" for each in world.discord.requests if each.status == 400),
    ]


def _jobs(world: World, tables: Tables) -> Iterator[str]:
    """Each picture is drawn, or unknown where its payment was cut in two; nothing is held on to."""
    if len(tables.drawings) != world.count:
        yield f"{world.count} pictures were asked for, and there are {len(tables.drawings)}"
    for job in tables.drawings:
        expected = "unknown" if job["id"] in world.half_paid else "done"
        if job["state"] != expected:
            yield f"{job['id']} is {job['state']} and not {expected}: {job['error']}"
    (request,) = tables.requests
    if request["state"] != ("unknown" if world.half_paid else "done"):
        yield f"the request is {request['state']}: {request['error']}"
    for job in tables.jobs:
        if job["holds_slot"] or job["lease_holder"] or job["lease_until"]:
            yield f"{job['id']} holds a slot or a lease"


def _payments(world: World, tables: Tables) -> Iterator[str]:
    """Never twice for one picture, once for one that is drawn; and each costs what BFL took for it."""
    asked = {json.loads(job["request"])["generation"]["parameters"]["seed"]: job for job in tables.drawings}
    for seed, times in world.paid.items():
        if times > 1 or seed not in asked:
            yield f"seed {seed} was paid for {times} times"
    costs = {task.seed: round(task.cost * CREDIT) for task in world.bfl.tasks}
    for seed, job in asked.items():
        if job["state"] == "done" and seed not in costs:
            yield f"{job['id']} was never ordered"
        expected = costs.get(seed) if job["state"] == "done" else None
        if job["cost_actual"] != expected:
            yield f"{job['id']} cost {expected}, and the bot says {job['cost_actual']}"
    (request,) = tables.requests
    picture_costs = [job["cost_actual"] for job in tables.drawings]
    if request["cost_actual"] != (None if None in picture_costs else sum(picture_costs)):
        yield f"the request says {request['cost_actual']} where its pictures cost {picture_costs}"


def _journal(tables: Tables) -> Iterator[str]:
    for job in tables.jobs:
        if job["parent_id"] is None:
            expected = {"delivered": True}
        elif job["state"] == "done":
            expected = {"ordered": True, "kept": True}
        else:
            expected = {"ordered": False}
        if tables.steps_of(job["id"]) != expected:
            yield f"the journal of {job['id']} ({job['state']}) says {tables.steps_of(job['id'])}"


def _files(world: World, tables: Tables) -> Iterator[str]:
    """Each drawn picture has its row, each row its file with the right bytes, each file its row."""
    drawn = {job["id"] for job in tables.drawings if job["state"] == "done"}
    if drawn != {image["id"] for image in tables.images}:
        yield f"{drawn} are drawn, and there are the images {[image['id'] for image in tables.images]}"
    media = world.folder / "media"
    files = {path.name: path for path in media.glob("??/??/*")}
    if set(files) != {image["sha256"] for image in tables.images}:
        yield f"the files are {sorted(files)}"
    for image in tables.images:
        path = files.get(image["sha256"])
        content = path.read_bytes() if path else b""
        if hashlib.sha256(content).hexdigest() != image["sha256"] or len(content) != image["bytes"]:
            yield f"the file of {image['id']} has other bytes"


def _card(world: World, tables: Tables) -> Iterator[str]:
    """It is there once, where the bot thinks that it is; it shows every picture, and says what is unsure."""
    (request,) = tables.requests
    cards = [each for each in world.posts if not each.deleted]
    if len(cards) != 1 or len(world.posts) > 2:
        yield f"there are {len(cards)} cards, and {len(world.posts)} were posted: {list(map(_words, cards))}"
        return
    (card,) = cards
    if (request["message_id"], request["channel_id"]) != (card.id, card.channel.id):
        yield f"the bot takes {request['message_id']} for the card, which is {card.id}"
    shown = [each.sha256 for each in card.attachments]
    if shown != [image["sha256"] for image in sorted(tables.images, key=_position)]:
        yield f"the card shows {len(shown)} files where {len(tables.images)} are drawn: {_words(card)}"
    buttons = {each["custom_id"] for _, each in walk(card.components) if "custom_id" in each}
    retry = f"1:img:retry:{request['id']}"
    if (MAYBE in _words(card) and retry in buttons) != bool(world.half_paid):
        yield f"the card says {_words(card)} with {sorted(buttons)}"
    expected = {f"1:img:vary:{image['id']}" for image in tables.images} | {f"1:img:info:{request['id']}"}
    if not expected <= buttons or f"1:img:cancel:{request['id']}" in buttons:
        yield f"the card has the buttons {sorted(buttons)}"


def _words(card: Message) -> str:
    return " / ".join(each["content"] for _, each in walk(card.components) if "content" in each) or "nothing"


def _position(image: Row) -> int:
    return image["position"]
