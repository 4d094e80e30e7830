"""What must be true of a finetune when all is at rest, whatever happened to the bot on the way."""

import hashlib
from collections.abc import Callable, Iterator

from standins.bfl.service import TRAINING
from standins.discord import Message
from storage.base.jobs import State
from storage.finetuning.finetunes import FinetuneState
from tests.crash.finetuning.kiln_life import PICTURES, Kiln, buttons_of, words_of

PRICE = 4_000_000
"""Of a training, in millionths of a dollar."""
CREDITS = 400.0
"""The same at BFL."""
FULL = 10_000.0
"""Credits of an account that has paid for nothing."""

Claims = Callable[[Kiln], list[str]]


def broken_by_start(kiln: Kiln) -> list[str]:
    """Each claim about a training that was started once, and that does not hold, as a sentence."""
    return [*_always(kiln), *_once(kiln), *_payment(kiln), *_files(kiln, PICTURES, trained=True), *_check_news(kiln)]


def broken_by_add(kiln: Kiln) -> list[str]:
    """The same, where pictures were added to a draft."""
    return [*_always(kiln), *_draft(kiln, 2 * PICTURES), *_files(kiln, 2 * PICTURES, trained=False)]


def broken_by_removal(kiln: Kiln) -> list[str]:
    """The same, where a picture was taken out of a draft."""
    return [*_always(kiln), *_draft(kiln, PICTURES - 1), *_files(kiln, PICTURES - 1, trained=False)]


def broken_by_deletion(kiln: Kiln) -> list[str]:
    """The same, where a finetune that was ready is deleted."""
    return [*_always(kiln), *_gone(kiln)]


def _always(kiln: Kiln) -> Iterator[str]:
    yield from kiln.tables.complaints
    for job in kiln.tables.jobs:
        if job["holds_slot"] or job["lease_holder"] or job["lease_until"]:
            yield f"{job['id']} holds a slot or a lease"
    yield from (f"Discord refused {each.kind}: {each.body}" for each in kiln.discord.requests if each.status == 400)
    yield from (f"a temporary file is left: {path}" for path in kiln.temporary_files if path.parent.name == "tmp")
    (card,) = [job for job in kiln.tables.jobs if job["kind"] == "finetune"]
    if (card["message_id"], card["channel_id"]) != (kiln.card.id, kiln.card.channel.id):
        yield f"the bot takes {card['message_id']} for the card, which is {kiln.card.id}"


def _once(kiln: Kiln) -> Iterator[str]:
    """It is ordered once, and ready; or unknown, if it was never ordered and the bot died before it could know."""
    tries = [job for job in kiln.tables.jobs if job["kind"] == "train"]
    if len(tries) != 1:
        yield f"there are the tries {[job['id'] for job in tries]}"
        return
    (job,) = tries
    asked = sum(each.path == "/v1/finetune" for each in kiln.bfl.requests)
    if asked > 1 or len(kiln.trainings) > 1:
        yield f"BFL was asked {asked} times to train"
    trained = bool(kiln.trainings)
    if not trained and not kiln.half_paid:
        yield "it was never ordered"
    expected = (State.DONE, FinetuneState.READY) if trained else (State.UNKNOWN, FinetuneState.UNKNOWN)
    if (job["state"], kiln.finetune["state"]) != expected:
        yield f"the try is {job['state']} and the finetune {kiln.finetune['state']}: {job['error']}"
    ref = kiln.finetune["ref"] or ""
    if trained and not (kiln.trainings[0].id in ref and "us1" in ref):
        yield f"the finetune is {kiln.trainings[0].id}, and the bot says {ref or 'nothing'}"
    steps = {"ordered": job["id"] not in kiln.half_paid} | ({"found": True} if trained and kiln.half_paid else {})
    if kiln.tables.steps_of(job["id"]) != steps:
        yield f"the journal of the try says {kiln.tables.steps_of(job['id'])}"
    news_steps = {f"{'ready' if trained else 'unknown'} {job['id']}": True}
    if kiln.tables.steps_of(kiln.finetune["id"]) != news_steps:
        yield f"the journal of the finetune says {kiln.tables.steps_of(kiln.finetune['id'])}"
    (parent,) = [each for each in kiln.tables.jobs if each["kind"] == "finetune"]
    if parent["state"] != State.PARKED:
        yield f"the job of the card is {parent['state']}: {parent['error']}"


def _payment(kiln: Kiln) -> Iterator[str]:
    """The account paid once, and the ledger says so, or that nobody knows."""
    paid = CREDITS * len(kiln.trainings)
    if kiln.bfl.credits != FULL - paid:
        yield f"the account has {kiln.bfl.credits} credits"
    charged = PRICE if kiln.trainings else None
    (job,) = [job for job in kiln.tables.jobs if job["kind"] == "train"]
    if job["cost_actual"] != charged:
        yield f"the try cost {charged}, and the bot says {job['cost_actual']}"
    ledger = [(line["job_id"], line["entry"], line["amount"]) for line in kiln.tables.ledger]
    if ledger != [(job["id"], "estimate", PRICE), (job["id"], "charge", charged)]:
        yield f"the ledger says {ledger}"


def _files(kiln: Kiln, count: int, *, trained: bool) -> Iterator[str]:
    """Each row has its file with the right bytes, each file its row."""
    pictures = {picture["sha256"] for picture in kiln.tables.training_images}
    if len(pictures) != count:
        yield f"there are {len(pictures)} pictures, and should be {count}"
    others = {"sheet": kiln.finetune["sheet"], "training set": kiln.finetune["training_set"]}
    for what, sha256 in others.items():
        if (sha256 is None) == (what == "sheet" or trained):
            yield f"the {what} is {sha256}"
    named = pictures | {sha256 for sha256 in others.values() if sha256}
    if named - set(kiln.files):
        yield f"{len(named - set(kiln.files))} files are lost"
    if set(kiln.files) - named:
        yield f"{len(set(kiln.files) - named)} files are nobody's"
    for name, path in kiln.files.items():
        if hashlib.sha256(path.read_bytes()).hexdigest() != name:
            yield f"the file {name} has other bytes"


def _check_news(kiln: Kiln) -> Iterator[str]:
    """The card says how it is, and its owner was told by name, once."""
    trained = bool(kiln.trainings)
    sentence, verb = ("ready to draw", "fin:try") if trained else ("it may have been charged", "fin:again")
    yield from _shows(kiln.card, sentence, verb)
    news = [words_of(each) for each in kiln.news]
    begun = f"<@{kiln.discord.member.id}> {'Your finetune' if trained else 'Nobody can tell'}"
    if len(news) != 1 or not news[0].startswith(begun):
        yield f"the news were {news}, and should be one that begins {begun}"
    posts = [each.body for each in kiln.discord.requested("message.create") if each.committed]
    for body in posts:
        users = body.get("allowed_mentions", {}).get("users") if isinstance(body, dict) else None
        if users is None or [int(each) for each in users] != [kiln.discord.member.id]:
            yield f"Discord was told to notify {users}"


def _draft(kiln: Kiln, count: int) -> Iterator[str]:
    """The card shows the pictures that there are, and that they can be trained on."""
    yield from _shows(kiln.card, "a draft", "fin:start")
    pictures = "1 picture" if count == 1 else f"{count} pictures"
    if f" / {pictures}, from <@" not in words_of(kiln.card):
        yield f"the card does not count {pictures}"
    if [each.sha256 for each in kiln.card.attachments] != [kiln.finetune["sheet"]]:
        yield "the card shows another contact sheet"
    if kiln.news:
        yield f"there were the news {[words_of(each) for each in kiln.news]}"


def _gone(kiln: Kiln) -> Iterator[str]:
    """Nothing of it is left, at BFL or here, but its card, which says so."""
    if kiln.bfl.finetunes:
        yield f"BFL still has {kiln.bfl.finetunes}"
    if kiln.finetune["state"] != FinetuneState.DELETED or kiln.tables.training_images:
        yield f"the finetune is {kiln.finetune['state']}, with {len(kiln.tables.training_images)} pictures"
    if kiln.files:
        yield f"the files {sorted(kiln.files)} are left"
    (job,) = [each for each in kiln.tables.jobs if each["kind"] == "finetune"]
    if job["state"] != State.DONE or job["cost_actual"] != PRICE:
        yield f"the job of the card is {job['state']}, and cost {job['cost_actual']}: {job['error']}"
    if "deleted" not in words_of(kiln.card) or "are gone from here" not in words_of(kiln.card):
        yield f"the card says {words_of(kiln.card)}"
    if buttons_of(kiln.card):
        yield f"the card has the buttons {buttons_of(kiln.card)}"
    if sum(task.endpoint == TRAINING for task in kiln.bfl.tasks) != 1:
        yield "it was trained again"


def _shows(card: Message, sentence: str, verb: str) -> Iterator[str]:
    if sentence not in words_of(card) or not any(each.startswith(f"1:{verb}:") for each in buttons_of(card)):
        yield f"the card says {words_of(card)!r} with {sorted(buttons_of(card))}"
