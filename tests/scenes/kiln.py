"""Making finetunes in a test without a keyboard: pictures, a draft, its start, and time until it is ready."""

import asyncio
import io
import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from bot.providers.training import FinetuneSpec, TrainedSubject
from bot.workflows.base.types import Origin, Upload
from bot.workflows.finetuning.types import FinetuneView
from storage.database import rows
from storage.finetuning.finetunes import FinetuneState
from tests.scenes.community import Community, text_of

_interactions = itertools.count(1_400_000_000_000_000_000)


def interaction_id() -> int:
    """One that no interaction of SimCord has."""
    return next(_interactions)


def picture(number: int = 1, *, size: tuple[int, int] = (768, 768)) -> bytes:
    """A JPEG that looks like no other number's."""
    chance = random.Random(number)
    image = Image.new("RGB", size, tuple(chance.randrange(256) for _ in range(3)))
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        left, top = chance.randrange(size[0]), chance.randrange(size[1])
        right, bottom = left + chance.randrange(40, size[0]), top + chance.randrange(40, size[1])
        pen.rectangle((left, top, right, bottom), fill=tuple(chance.randrange(256) for _ in range(3)))
    content = io.BytesIO()
    image.save(content, "JPEG")
    return content.getvalue()


def upload(name: str, content: bytes) -> Upload:
    """A file as a member attaches it."""

    async def save(path: Path) -> None:
        await asyncio.to_thread(path.write_bytes, content)

    return Upload(name=name, size=len(content), save=save)


def pictures(count: int) -> list[Upload]:
    return [upload(f"owl-{number}.jpg", picture(number)) for number in range(1, count + 1)]


def spec(trainer: str = "bfl", **values: Any) -> FinetuneSpec:
    """Of an owl; `parameters` and the rest as a test wants them."""
    usual: dict[str, Any] = {
        "id": "",
        "name": "Owl",
        "trainer": trainer,
        "subject": TrainedSubject.CHARACTER,
        "trigger": "mycstm" if trainer.startswith("vimmerse") else "mycstm owl",
        "class_name": "cat" if trainer == "astria" else "",
    }
    return FinetuneSpec(**usual | values)


async def draft(
    community: Community,
    wanted: FinetuneSpec | None = None,
    *,
    uploads: Sequence[Upload] | None = None,
    owner: int | None = None,
    description: str = "",
) -> FinetuneView:
    """A draft with six pictures, whose card is in the studio."""
    card = await community.app.client.get_partial_messageable(community.studio.id).send("…")
    origin = Origin(
        interaction_id=interaction_id(),
        user_id=owner or community.ada.id,
        guild_id=community.guild.id,
        channel_id=community.studio.id,
        message_id=card.id,
        nsfw=False,
    )
    job, _ = await community.app.services.finetuning.drafts.create(
        origin, wanted or spec(), pictures(6) if uploads is None else uploads, description=description
    )
    await community.pass_time(5)
    return await finetune(community, job.id)


async def finetune(community: Community, finetune_id: str) -> FinetuneView:
    view = await community.app.services.finetuning.views.of(finetune_id)
    assert view, finetune_id
    return view


async def start(community: Community, view: FinetuneView) -> FinetuneView:
    """Its owner has confirmed what the card shows."""
    await community.app.services.finetuning.starts.start(
        view.finetune.id, by=view.finetune.owner_id, digest=view.digest
    )
    await community.pass_time(5)
    return await finetune(community, view.finetune.id)


async def train_finetune(community: Community, wanted: FinetuneSpec | None = None, **more: Any) -> FinetuneView:
    """A finetune that is ready."""
    view = await start(community, await draft(community, wanted, **more))
    for _ in range(400):
        if view.finetune.state is not FinetuneState.TRAINING:
            break
        await community.skip(120, step=60)
        view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY, (view.finetune, view.tries)
    return view


def news(community: Community) -> list[str]:
    """What the owner was told by name, in messages of their own."""
    texts = [text_of(message).strip() for message in community.cards[1:]]
    return [text for text in texts if text.startswith(f"<@{community.ada.id}>")]


async def ledger_of(community: Community, job_id: str) -> list[tuple[str, int | None]]:
    """Entries and amounts of one job, in their order."""
    async with community.app.database.read() as db:
        entries = await rows(db, "SELECT entry, amount FROM ledger WHERE job_id = :id ORDER BY id", {"id": job_id})
    return [(each["entry"], each["amount"]) for each in entries]
