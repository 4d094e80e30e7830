"""What must be true after a quiet time, whatever happened before: asked of the services, of Discord and of the disk."""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.providers.bfl.models import CREDIT
from bot.workflows.base.types import job_id
from standins.bfl.service import TRAINING
from standins.discord import Interaction, Message
from storage.backup import copy_everything
from storage.base.jobs import State
from tests.chaos.scene import Scene
from tests.crash.finetuning.kiln_life import buttons_of, words_of
from tests.crash.registering.registry_claims import broken_beside_files
from tests.crash.remains import Remains, look
from tests.crash.tables import Row

LINK_LIFE = 600.0
"""Seconds from Ready until BFL's link dies: what nobody could collect by then is lost."""
MISTAKE = "mistake of the bot", "The bot made a mistake"


async def broken_claims(scene: Scene, commands: Sequence[Interaction]) -> list[str]:
    """Each claim that does not hold, as a sentence."""
    remains = await look(scene.disk.folder, scene.chain, scene.pinata, scene.collection)
    shown = [each for message in _posts(scene) for each in buttons_of(message)]
    return [
        *broken_beside_files(remains, shown),
        *_rest(remains),
        *_paid_pictures(scene, remains),
        *_paid_trainings(scene, remains),
        *_unknown(scene, remains),
        *_ledger(remains),
        *_files(remains),
        *_cards(scene, remains),
        *_news(scene, remains),
        *_taken(scene, remains, commands),
        *_mirror(scene, remains),
        *_backup(scene),
        *_complaints(scene),
    ]


def _posts(scene: Scene) -> list[Message]:
    return [
        each
        for channel in (scene.discord.channel, scene.review)
        for each in channel.messages
        if each.author is scene.discord.world.bot and not each.deleted and not each.ephemeral
    ]


def _rest(remains: Remains) -> Iterator[str]:
    """Nobody is at work, and nothing waits for somebody to be."""
    for job in remains.tables["jobs"]:
        if job["holds_slot"] or job["lease_holder"] or job["lease_until"]:
            yield f"{job['kind']} {job['id']} ({job['state']}) holds a slot or a lease"


def _drawings(remains: Remains) -> list[Row]:
    return [job for job in remains.tables["jobs"] if job["kind"] == "draw"]


def _seed(job: Row) -> int | None:
    parameters = json.loads(job["request"]).get("generation", {}).get("parameters", {})
    return parameters.get("seed")


def _paid_pictures(scene: Scene, remains: Remains) -> Iterator[str]:
    """No picture was paid for twice; each that is done was paid for once; none that is there to be had is given up."""
    bfl = {
        seed: [each for each in scene.bfl.tasks if each.seed == seed and each.endpoint != TRAINING]
        for seed in {each.seed for each in scene.bfl.tasks}
    }
    astria = Counter(each.seed for each in scene.astria.prompts)
    jobs = Counter((job["lane"].split("-")[0], _seed(job)) for job in _drawings(remains))
    for seed, tasks in bfl.items():
        if len(tasks) > max(jobs["bfl", seed], jobs["kontext", seed]):
            yield f"BFL was paid {len(tasks)} times for seed {seed}, which {jobs['bfl', seed]} pictures have"
    for seed, times in astria.items():
        if times > jobs["astria", seed]:
            yield f"Astria was paid {times} times for seed {seed}, which {jobs['astria', seed]} pictures have"
    images = {image["id"]: image for image in remains.tables["images"]}
    for job in _drawings(remains):
        tasks = bfl.get(_seed(job) or -1, []) if job["lane"].startswith("bfl") else []
        if job["state"] == State.DONE and job["id"] not in images:
            yield f"{job['id']} is done and has no image"
        if job["state"] == State.DONE and job["lane"].startswith("bfl") and not tasks:
            yield f"{job['id']} is done and was never ordered"
        for task in tasks:
            if job["state"] == State.FAILED and task.status == "Ready" and not _was_asleep(scene, task.ready_at):
                yield (
                    f"{job['id']} was ordered at BFL {_ago(scene, task.created)}, drawn {_ago(scene, task.ready_at)} "
                    f"and given up {_ago(scene, job['ended_at'])}: {job['error']}"
                )
            if job["state"] == State.DONE and job["cost_actual"] != round(task.cost * CREDIT):
                yield f"{job['id']} cost {round(task.cost * CREDIT)} at BFL, and the bot says {job['cost_actual']}"


def _paid_trainings(scene: Scene, remains: Remains) -> Iterator[str]:
    """No try was paid for twice, and each that BFL or Astria has finished is known here."""
    tries = {job["id"]: job for job in remains.tables["jobs"] if job["kind"] == "train"}
    at_bfl = [each for each in scene.bfl.tasks if each.endpoint == TRAINING]
    labels = Counter(str(each.body.get("finetune_comment")) for each in at_bfl)
    labels.update(each.title for each in scene.astria.tunes)
    yield from (f"a training labelled {label} was paid {times} times" for label, times in labels.items() if times > 1)
    ours = Counter(json.loads(job["request"]).get("spec", {}).get("trainer", job["lane"]) for job in tries.values())
    theirs = {"bfl": len(at_bfl), "astria": len(scene.astria.tunes), "vimmerse": len(scene.vimmerse.trainings)}
    for trainer, count in theirs.items():
        own = sum(number for name, number in ours.items() if str(name).startswith(trainer))
        if count > own:
            yield f"{trainer} was paid for {count} trainings, and there are {own} tries"
    for job in tries.values():
        label = next((each for each in labels if job["id"] in each), None)
        if job["state"] == State.FAILED and label and "ailed" not in (job["error"] or ""):
            yield f"the try {job['id']} was paid and given up: {job['error']}"


def _was_asleep(scene: Scene, ready_at: float) -> bool:
    """Whether the bot was away, or its world, for long while a finished picture could be collected.

    A quarter is long: to start and to log in takes half a minute of this clock, and a history has many lives.
    """
    end = ready_at + LINK_LIFE
    lost = sum(max(0.0, min(end, until) - max(ready_at, since)) for since, until in scene.asleep)
    return lost > LINK_LIFE / 4


def _ago(scene: Scene, at: float | None) -> str:
    return f"{scene.clock.true() - at:.0f} s ago" if at else "never"


def _unknown(scene: Scene, remains: Remains) -> Iterator[str]:
    """An outcome is unknown only where a death, or trouble at the service, came between an order and its receipt, or
    where the bot was away until the service had forgotten what it was asked for."""
    for job in remains.tables["jobs"]:
        if job["kind"] in {"draw", "train"} and job["state"] == State.UNKNOWN and job["id"] not in scene.half_paid:
            service = next((each for each in ("astria", "vimmerse") if each in job["lane"]), "bfl")
            ordered = [each.created for each in scene.bfl.tasks if each.seed == _seed(job)]
            away = any(until - since > LINK_LIFE and until > min(ordered, default=0.0) for since, until in scene.asleep)
            if service not in scene.unsure and not away:
                yield f"{job['id']} is unknown, and nothing was ever wrong with orders at {service}: {job['error']}"


def _ledger(remains: Remains) -> Iterator[str]:
    """What each job has cost stands in the ledger, once, and nothing else does."""
    lines: dict[str, dict[str, int | None]] = {}
    for line in remains.tables["ledger"]:
        lines.setdefault(line["job_id"], {})[line["entry"]] = line["amount"]
    for job in remains.tables["jobs"]:
        if job["kind"] not in {"draw", "train"}:
            continue
        entries = lines.pop(job["id"], {})
        paid = any(step["pays"] for step in remains.tables["steps"] if step["job_id"] == job["id"])
        if paid and State(job["state"]).ended and "charge" not in entries:
            yield f"{job['id']} ({job['state']}) began to pay, and the ledger has no charge: {entries}"
        if entries.get("charge") is not None and entries["charge"] != job["cost_actual"]:
            yield f"the ledger says that {job['id']} cost {entries['charge']}, the job says {job['cost_actual']}"
        if job["state"] == State.DONE and "charge" not in entries:
            yield f"{job['id']} is done, and the ledger has no charge: {entries}"
    yield from (f"the ledger has lines of {job}, which is none" for job in lines)


def _files(remains: Remains) -> Iterator[str]:
    """Each file that a row needs is there with its bytes; each that is there is named by a row."""
    tables = remains.tables
    needed = {each["sha256"] for each in tables["images"] if each["deleted_at"] is None}
    needed |= {each["sha256"] for each in tables["training_images"]}
    for each in tables["finetunes"]:
        needed |= {each["sheet"], each["training_set"]} if each["deleted_at"] is None else set()
    for each in tables["registrations"]:
        needed |= {each["preview"], each["ip_metadata"], each["nft_metadata"]}
    media = remains.folder / "media"
    files = {path.name: path for path in media.glob("??/??/*")}
    for sha256 in needed - {None}:
        if sha256 not in files:
            yield f"a row names the file {sha256}, which is not there"
        elif hashlib.sha256(files[sha256].read_bytes()).hexdigest() != sha256:
            yield f"the file {sha256} has other bytes"
    named = json.dumps(tables, default=str)
    yield from (f"the file {name} is named by no row" for name in files if name not in named)


def _cards(scene: Scene, remains: Remains) -> Iterator[str]:
    """What is over has one card, where the bot thinks that it is, that shows each of its pictures once."""
    posts = {each.id: each for each in _posts(scene)}
    deleted = {each["job_id"] for each in remains.tables["images"] if each["deleted_at"] is not None}
    for job in remains.tables["jobs"]:
        if job["kind"] not in {"imagine", "edit"} or job["id"] in deleted or not State(job["state"]).ended:
            continue
        card = posts.get(job["message_id"])
        if card is None:
            yield f"the card of {job['id']} ({job['state']}) is not there"
            continue
        images = [each for each in remains.tables["images"] if each["job_id"] == job["id"]]
        shown = [each.sha256 for each in card.attachments]
        if card.loading or [each["sha256"] for each in sorted(images, key=lambda each: each["position"])] != shown:
            yield f"{job['id']} has {len(images)} pictures and its card {len(shown)}: {words_of(card)[:200]}"
        about = f"1:img:info:{job['id']}"  # who picks one picture has it shown as an answer of its own
        copies = [each for each in posts.values() if about in buttons_of(each) and not _is_pick(each, card)]
        if len(copies) > 1:
            yield f"{job['id']} is shown {len(copies)} times"
        if words_of(card).startswith("### Drawing") or f"1:img:cancel:{job['id']}" in buttons_of(card):
            yield f"{job['id']} is {job['state']}, and its card says {words_of(card)[:200]}"
    for message in posts.values():
        if any(sentence in words_of(message) for sentence in MISTAKE):
            yield f"a message says {words_of(message)[:300]}"


def _news(scene: Scene, remains: Remains) -> Iterator[str]:
    """Cards of finetunes and registrations are there; nobody is told the same thing twice; what is decided is over."""
    posts = {each.id: each for each in _posts(scene)}
    # A kill between the draft and its card leaves the one without the other: `/finetune list` leads to it.
    drafts = {each["id"] for each in remains.tables["finetunes"] if each["state"] == "draft"}
    for job in remains.tables["jobs"]:
        if job["kind"] in {"finetune", "register"} and job["message_id"] not in posts and job["id"] not in drafts:
            yield f"the card of the {job['kind']} {job['id']} ({job['state']}) is not there"
    news = Counter(words_of(each) for each in posts.values() if words_of(each).startswith("<@"))
    yield from (f"this was posted {count} times: {words[:200]}" for words, count in news.items() if count > 1)
    open_ones = {each["id"] for each in remains.tables["reviews"] if each["state"] == "open"}
    for message in posts.values():
        for custom_id in buttons_of(message):
            if custom_id.startswith("1:rev:ok:") and custom_id.split(":")[3] not in open_ones:
                yield f"the question {custom_id.split(':')[3]} is decided, and a message still offers Approve"


def _is_pick(message: Message, card: Message) -> bool:
    return message is not card and message.interaction is not None


def _taken(scene: Scene, remains: Remains, commands: Sequence[Interaction]) -> Iterator[str]:
    """A command that the bot has taken is answered."""
    jobs = {job["id"] for job in remains.tables["jobs"]}
    for command in commands:
        if job_id(command.id) in jobs and command.original and command.original.loading:
            yield f"/{command.name} of {job_id(command.id)} was taken, and its answer is “thinking…” for ever"
        if command.original and any(sentence in words_of(command.original) for sentence in MISTAKE):
            yield f"/{command.name} was answered with {words_of(command.original)[:300]}"


def _mirror(scene: Scene, remains: Remains) -> Iterator[str]:
    """What is noted as confirmed at the second pinning service is there; what it lacks is sent again by a round."""
    pinned = {each.cid for each in scene.kubo.files if each.pinned}
    rows = [
        each
        for each in remains.tables["pins"]
        if each["service"] == "kubo" and each["unpinned_at"] is None and each["confirmed_at"] is not None
    ]
    confirmed = {each["id"] for each in remains.registrations if each["state"] == "confirmed"}
    for row in rows:
        if row["registration_id"] in confirmed and row["cid"] not in pinned:
            yield f"{row['cid']} of {row['registration_id']} should be pinned at the mirror, and is not"


def _backup(scene: Scene) -> Iterator[str]:
    """The admin can save all of it."""
    with tempfile.TemporaryDirectory(dir=scene.folder) as folder:
        try:
            copy_everything(scene.disk.folder, Path(folder) / "copy")
        except Exception as error:  # whatever it is, it is the answer
            yield f"no backup can be made: {error!r}"


def _complaints(scene: Scene) -> Iterator[str]:
    """Discord refused nothing that the bot has built."""
    for each in scene.discord.requests:
        if each.status == 400 and each.code != 40060:
            yield f"Discord refused {each.kind} with {each.code}: {each.body}"
