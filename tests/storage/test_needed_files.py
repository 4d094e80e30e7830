"""Which stored files a row may still need: whatever is not needed is deleted."""

from typing import Any

import pytest
from sqlalchemy import Boolean, String

from storage import schema
from storage.database import Connection, change
from storage.drawing import images
from tests.scenes.workbench import Bench

FILE, OTHER = "a" * 64, "b" * 64
AN_INPUT = f'{{"inputs": {{"image_prompt": "{FILE}"}}}}'
NOTED = f'{{"id": "r-1", "sha256": "{FILE}"}}'
Rows = list[tuple[str, dict[str, Any]]]

REQUEST: Rows = [("jobs", {"id": "r", "kind": "imagine", "state": "done"})]
REGISTRATION_STATES = {
    "draft": False,
    "submitted": True,
    "approved": True,
    "pinning": True,
    "pinned": True,
    "signed": True,
    "sent": True,
    "confirmed": True,
    "failed": True,
    "denied": False,
    "withdrawn": False,
    "expired": False,
}
"""Whether a registration needs the original of its image, where the image itself is deleted."""


async def insert(db: Connection, table: str, values: dict[str, Any]) -> None:
    """A row with these values, and with something in every other column that must have a value."""
    columns = schema.metadata.tables[table].columns
    row = {
        column.name: column.name if isinstance(column.type, String) else isinstance(column.type, Boolean)
        for column in columns
        if not column.nullable and column.server_default is None and column.autoincrement is not True
    } | values
    names = ", ".join(row)
    await change(db, f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(row)})", row)  # noqa: S608 - names from above


def image(**values: Any) -> tuple[str, dict[str, Any]]:
    return "images", {"id": "r-1", "job_id": "r", "position": 0, "sha256": OTHER} | values


def finetune(**values: Any) -> Rows:
    return [("jobs", {"id": "f", "kind": "finetune", "state": "parked"}), ("finetunes", {"id": "f"} | values)]


def registration(**values: Any) -> Rows:
    return [("registrations", {"id": "g", "state": "denied", "sha256": OTHER, "preview": OTHER} | values)]


def sheet_of(job_id: str, name: str = "compared") -> tuple[str, dict[str, Any]]:
    return "steps", {"job_id": job_id, "name": name, "result": f'{{"sha256":"{FILE}"}}'}


CASES: dict[str, tuple[Rows, bool]] = {
    "nothing": ([], False),
    "an image": ([*REQUEST, image(sha256=FILE)], True),
    "a deleted image": ([*REQUEST, image(sha256=FILE, deleted_at=1.0)], False),
    "a picture of a training set": (
        [*finetune(), ("training_images", {"finetune_id": "f", "id": "p", "sha256": FILE})],
        True,
    ),
    "a sample of a finetune": ([*finetune(), ("finetune_samples", {"finetune_id": "f", "sha256": FILE})], True),
    "a training set": (finetune(training_set=FILE), True),
    "the training set of a deleted finetune": (finetune(training_set=FILE, deleted_at=1.0), False),
    "a contact sheet": (finetune(sheet=FILE), True),
    "the contact sheet of a deleted finetune": (finetune(sheet=FILE, deleted_at=1.0), False),
    "the order of a training under way": (
        [("jobs", {"id": "f-1", "kind": "train", "state": "running", "request": f'{{"training_set":"{FILE}"}}'})],
        True,
    ),
    "the order of a training that ended": (
        [("jobs", {"id": "f-1", "kind": "train", "state": "failed", "request": f'{{"training_set":"{FILE}"}}'})],
        False,
    ),
    "the preview of a registration": (registration(preview=FILE), True),
    "the metadata of an IP asset": (registration(ip_metadata=FILE), True),
    "the metadata of a token": (registration(nft_metadata=FILE), True),
    **{
        f"the original of a registration that is {state}": (registration(sha256=FILE, state=state), needed)
        for state, needed in REGISTRATION_STATES.items()
    },
    **{
        f"an input of a request that is {state}": (
            [("jobs", {"id": "r", "kind": "imagine", "state": state, "request": AN_INPUT})],
            True,
        )
        for state in ("waiting", "running", "parked", "done", "failed", "cancelled", "unknown")
    },
    **{
        f"a deleted image of which a request is made that is {state}": (
            [
                *REQUEST,
                image(sha256=FILE, deleted_at=1.0),
                ("jobs", {"id": "edit", "kind": "imagine", "state": state, "request": AN_INPUT}),
            ],
            needed,
        )
        for state, needed in {"waiting": True, "running": True, "parked": True, "done": False, "failed": False}.items()
    },
    "an input of a picture": ([("jobs", {"id": "d", "kind": "draw", "state": "failed", "request": AN_INPUT})], True),
    "an input of a request whose images are there": (
        [("jobs", {"id": "r", "kind": "imagine", "state": "done", "request": AN_INPUT}), image()],
        True,
    ),
    "an input of a request whose images were deleted": (
        [("jobs", {"id": "r", "kind": "imagine", "state": "done", "request": AN_INPUT}), image(deleted_at=1.0)],
        False,
    ),
    "an input of a picture that was deleted": (
        [
            *REQUEST,
            ("jobs", {"id": "r-1", "kind": "draw", "state": "done", "parent_id": "r", "request": AN_INPUT}),
            image(deleted_at=1.0),
        ],
        False,
    ),
    "the sheet of a comparison": ([*REQUEST, image(), sheet_of("r")], True),
    "the sheet of a comparison of which one picture is there": (
        [*REQUEST, image(deleted_at=1.0), image(id="r-2", position=1), sheet_of("r")],
        True,
    ),
    "the sheet of a comparison that was deleted": ([*REQUEST, image(deleted_at=1.0), sheet_of("r")], False),
    "a picture that was fetched by a job under way": (
        [
            ("jobs", {"id": "r-1", "kind": "draw", "state": "running"}),
            ("notes", {"name": "arrived r-1", "content": NOTED}),
        ],
        True,
    ),
    "a picture that was fetched by a job that has ended": (
        [
            ("jobs", {"id": "r-1", "kind": "draw", "state": "failed"}),
            ("notes", {"name": "arrived r-1", "content": NOTED}),
        ],
        False,
    ),
    "the result of another step": ([*REQUEST, image(), sheet_of("r", name="kept")], False),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_file_is_needed_as_long_as_a_row_may_use_it(bench: Bench, name: str) -> None:
    table_rows, needed = CASES[name]
    async with bench.database.write() as db:
        for table, values in table_rows:
            await insert(db, table, values)
        assert await images.needed(db, FILE) is needed
