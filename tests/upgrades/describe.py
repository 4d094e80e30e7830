"""What `story.json` of a golden folder says: who is there, what was going on, and the messages in SimCord."""

import dataclasses
import hashlib
import json
import subprocess
from typing import Any

import discord
from simcord.backend.models import Message

from tests import ROOT
from tests.scenes.community import Community, buttons_of
from tests.upgrades.older import PEOPLE, select

HOW = [
    "Made by tests/upgrades/make_folder.py.",
    "Copied from a bot at work, neither drained nor closed: what a kill leaves; then WAL truncated, vacuumed.",
    "made_by is the last commit that changed bot, cogs or storage.",
    "left is the bot's time of the copy; BFL's link to the ordered picture lives until 600 s after it was ready.",
    "bfl.db is the state file of the BFL stand-in, with every task.",
    "The chain and Pinata need no state: nothing is minted or pinned, and a new chain's collection has this address.",
    "origins are in receipts (steps.result) as text; the gateway is in the submitted terms: never rewrite that.",
    "simcord.peopled_at: seconds of SimCord's clock at which the guild has to be made to have these ids.",
    "messages are SimCord's records (simcord.backend.models.Message(**each)); blobs are attachments by SHA-256.",
]
STAGES = ["kept", "ordered", "waiting"]


def load_pictures(community: Community) -> list[dict[str, Any]]:
    """The pictures of the newest request, each with its stage, those that are furthest first."""
    pictures = select(
        community,
        """SELECT id,
            (SELECT result FROM steps WHERE job_id = jobs.id AND name = 'ordered') AS receipt,
            EXISTS (SELECT 1 FROM images WHERE images.id = jobs.id) AS kept
        FROM jobs WHERE parent_id = (SELECT id FROM jobs WHERE kind = 'imagine' ORDER BY created_at DESC LIMIT 1)""",
    )
    for each in pictures:
        each["stage"] = "kept" if each["kept"] else "ordered" if each["receipt"] else "waiting"
    return sorted(pictures, key=lambda each: (STAGES.index(each["stage"]), each["id"]))


def find_columns_with_origins(community: Community) -> set[str]:
    """The columns of the database that name an address of this machine."""
    columns: set[str] = set()
    for table in select(community, "SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in select(community, f"SELECT * FROM {table['name']}"):  # noqa: S608 - a name from the schema
            columns |= {f"{table['name']}.{name}" for name, value in row.items() if "http://127.0.0.1:" in str(value)}
    return columns


def describe(community: Community, posts: dict[str, int], *, peopled_at: float) -> dict[str, Any]:
    """The story of a community whose messages `posts` names. Everything in it can be written as JSON."""
    backend = community.env.backend
    messages = [*community.studio.history(), *community.review.history()]
    posted = {name: next(each for each in messages if each.id == message_id) for name, message_id in posts.items()}
    (registration,) = select(community, "SELECT id, digest, terms FROM registrations")
    terms = json.loads(registration.pop("terms"))
    return {
        "made_by": _last_commit(),
        "left": community.clock.now(),
        "how": HOW,
        "simcord": {
            "peopled_at": peopled_at,
            "application_id": backend.application_id,
            "bot": backend.bot_user.id,
            **{name: getattr(community, name).id for name in PEOPLE},
        },
        "origins": community.services.origins,
        "chain": {"collection": community.services.collection, "recipient": terms["recipient"]},
        "finished": _describe_request(community, posted["finished"]),
        "finished_to_delete": _describe_request(community, posted["finished_to_delete"]),
        "refused": _describe_request(community, posted["refused"]),
        "under_way": _describe_request(community, posted["under_way"]) | _describe_stages(community),
        "tasks_before": [task.id for task in community.bfl.tasks],
        "drafts": _describe_drafts(community),
        "registration": registration,
        "posts": posts,
        "buttons": {name: buttons_of(message) for name, message in posted.items()},
        "messages": [
            _record(message)
            for channel in (community.studio, community.review)
            for message in backend.messages[channel.id].values()
            if not message.is_ephemeral
        ],
        "blobs": _digest_attachments(community),
    }


def _last_commit() -> str:
    command = ["git", "log", "-1", "--format=%H", "--", "bot", "cogs", "storage"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


def _describe_request(community: Community, card: discord.Message) -> dict[str, Any]:
    (job,) = select(community, "SELECT id FROM jobs WHERE message_id = ?", card.id)
    images = "SELECT id, sha256, seed FROM images WHERE job_id = ? ORDER BY position"
    return {**job, "images": select(community, images, job["id"])}


def _describe_stages(community: Community) -> dict[str, Any]:
    pictures = load_pictures(community)
    (ordered,) = [each for each in pictures if each["stage"] == "ordered"]
    ticket = json.loads(ordered["receipt"])["ticket"]
    (task,) = [task for task in community.bfl.tasks if task.id == ticket["remote_id"]]
    stages = {stage: [each["id"] for each in pictures if each["stage"] == stage] for stage in STAGES}
    return {**stages, "ticket": ticket, "task": {"id": task.id, "seed": task.seed}}


def _describe_drafts(community: Community) -> dict[str, Any]:
    pictures = (
        "SELECT id, caption, contributor_id, consented_by FROM training_images WHERE finetune_id = ? ORDER BY position"
    )
    drafts = select(community, "SELECT id, name FROM finetunes")
    return {each["name"]: {**each, "pictures": select(community, pictures, each["id"])} for each in drafts}


def _record(message: Message) -> dict[str, Any]:
    """One of SimCord's messages. What the bot may mention is left out, because JSON cannot say it."""
    record = dataclasses.asdict(message)
    for name in ("allowed_mentions", "reactions", "snapshots", "stickers", "poll", "system_metadata"):
        record.pop(name)
    return record


def _digest_attachments(community: Community) -> dict[str, str]:
    """SHA-256 of those attachments that are files of the bot, by their address; the others are not needed."""
    blobs = community.env.backend.cdn._blobs  # pyright: ignore[reportPrivateUsage] - it lists them in no other way
    digests = {url: hashlib.sha256(content).hexdigest() for url, content in blobs.items()}
    names = {path.name for path in community.files}
    return {url: digest for url, digest in digests.items() if digest in names}
