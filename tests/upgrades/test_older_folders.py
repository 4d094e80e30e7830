"""The newest bot opens the folder that each older version has left, and goes on."""

from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.scenes.community import Community, buttons_of, private, text_of
from tests.upgrades.make_folder import make_folder
from tests.upgrades.older import GOLDEN, OlderFolder, select

FOLDERS = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
SINCE_REFUSED_CARDS = [name for name in FOLDERS if name >= "2026-11-30"]
"""Those with a finished request whose card Discord refused, of a channel that was age-restricted."""
HOUR = 3600.0


@pytest.fixture(params=FOLDERS)
def older(request: pytest.FixtureRequest) -> OlderFolder:
    return OlderFolder(GOLDEN / request.param)


async def ask_chain(community: Community, method: str, *params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    url = community.services.origins["chain"]
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return (await response.json(content_type=None))["result"]


@pytest.mark.parametrize("deleted", [(), ("under_way",)], ids=["its card exists", "its card was deleted"])
async def test_what_was_ordered_is_collected_and_the_rest_is_drawn(
    older: OlderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: tuple[str, ...]
) -> None:
    request = older.story["under_way"]
    (ordered,), (kept,) = request["ordered"], request["kept"]
    async with older.open_copy(tmp_path / "data", monkeypatch, deleted=deleted) as community:
        posts = len(community.cards)
        await community.pass_time(60)

        jobs = select(community, "SELECT * FROM jobs WHERE parent_id = ? ORDER BY position", request["id"])
        assert [job["state"] for job in jobs] == ["done"] * 4
        assert {job["lease_holder"] for job in jobs} == {None}
        assert {job["cost_actual"] for job in jobs} == {60_000}
        # Paid once each: of the four, BFL knew two from before.
        tasks = community.bfl.tasks
        assert [task.id for task in tasks[: len(older.story["tasks_before"])]] == older.story["tasks_before"]
        assert len(tasks) == len(older.story["tasks_before"]) + 2
        assert community.ordered() == 2
        assert set(Counter(task.seed for task in tasks).values()) == {1}
        charges = select(
            community, "SELECT * FROM ledger WHERE entry = 'charge' AND job_id LIKE ?", f"{request['id']}-%"
        )
        assert [charge["amount"] for charge in charges] == [60_000] * 4
        # The receipt of before is the one that was looked at.
        polled = [each.query for each in community.bfl.requests if each.kind == "poll"]
        assert f"id={request['ticket']['remote_id']}" in polled
        images = {
            each["id"]: each for each in select(community, "SELECT * FROM images WHERE job_id = ?", request["id"])
        }
        assert set(images) == {kept, ordered, *request["waiting"]}
        assert images[kept]["sha256"] == request["images"][0]["sha256"]
        assert images[ordered]["seed"] == request["task"]["seed"]
        # Its card is the one of before, or a new one where that is gone.
        card = community.cards[-1] if deleted else older.find_post(community, "under_way")
        assert len(community.cards) == posts + bool(deleted)
        assert len(card.attachments) == 4
        assert text_of(card).startswith(f"### 4 pictures for <@{community.ada.id}>")


async def test_drafts_are_changed_and_started_by_their_old_buttons(
    older: OlderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    luna, sol = older.story["drafts"]["Luna"], older.story["drafts"]["Sol"]
    async with older.open_copy(tmp_path / "data", monkeypatch) as community:
        form = await older.press(community, "draft", "Captions")
        await community.ada.submit_modal(form, {"captions": "3: Luna in the rain"})
        await community.pass_time(5)
        columns = "id, caption, contributor_id, consented_by"
        query = f"SELECT {columns} FROM training_images WHERE finetune_id = ? ORDER BY position"  # noqa: S608
        now = select(community, query, luna["id"])
        before = [{name: each[name] for name in now[0]} for each in luna["pictures"]]
        before[2]["caption"] = "Luna in the rain"
        assert now == before, "and nothing else is different"
        assert "Pictures 4 and 5 are without a caption" in text_of(older.find_post(community, "draft"))
        form = await older.press(community, "draft", "Add pictures", community.ben)
        assert form.modal, "it is open to others still"

        start = next(label for label in older.story["buttons"]["draft_to_start"] if label.startswith("Start training"))
        form = await older.press(community, "draft_to_start", start)
        assert form.modal, "what the old card showed is what would be started"
        await community.ada.submit_modal(form, {"agreed": True})
        await community.pass_time(5)
        assert select(community, "SELECT state FROM finetunes WHERE id = ?", sol["id"]) == [{"state": "training"}]
        assert {each["consented_by"] for each in select(community, query, sol["id"])} == {community.ada.id}
        await community.skip(2 * HOUR)
        (finetune,) = select(community, "SELECT state, ready_at FROM finetunes WHERE id = ?", sol["id"])
        assert finetune["state"] == "ready"
        assert len(community.bfl.finetunes) == 1
        assert "Draw with it" in buttons_of(older.find_post(community, "draft_to_start"))


async def test_an_old_approval_is_minted_and_confirmed(
    older: OlderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted, chain = older.story["registration"], older.story["chain"]
    async with older.open_copy(tmp_path / "data", monkeypatch) as community:
        await older.press(community, "review", "Approve", community.mia)
        assert "can be undone until" in text_of(older.find_post(community, "registration"))
        await community.pass_time(61)
        await community.pass_time(30)

        (row,) = select(community, "SELECT * FROM registrations WHERE id = ?", submitted["id"])
        assert (row["state"], row["error"], row["digest"]) == ("confirmed", None, submitted["digest"])
        supply = {"to": chain["collection"], "data": "0x18160ddd"}  # totalSupply()
        assert int(await ask_chain(community, "eth_call", supply, "latest"), 16) == 1
        owner = {"to": chain["collection"], "data": "0x6352211e" + f"{int(row['token_id']):064x}"}  # ownerOf(uint256)
        assert (await ask_chain(community, "eth_call", owner, "latest"))[-40:] == chain["recipient"][2:].lower()
        assert (await ask_chain(community, "eth_getTransactionReceipt", row["tx_hash"]))["status"] == "0x1"
        card = text_of(older.find_post(community, "registration"))
        assert "### A red fox: registered" in card
        assert "✅ **Read back and verified:**" in card
        assert row["ip_id"] in card
        assert "Approve" not in buttons_of(older.find_post(community, "review"))
        assert community.services.pinata
        assert len(community.services.pinata.files) == 3
        entries = select(community, "SELECT action, previous, hash FROM audit ORDER BY number")
        done = [each["action"] for each in entries]
        assert done[0] == "registration submitted", "the old bot's own entry"
        assert {"registration begun", "registration signed", "registration confirmed"} <= set(done)
        assert [each["hash"] for each in entries[:-1]] == [each["previous"] for each in entries[1:]]


async def test_old_buttons_of_what_is_finished_work(
    older: OlderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished, doomed = older.story["finished"], older.story["finished_to_delete"]
    async with older.open_copy(tmp_path / "data", monkeypatch) as community:
        await community.pass_time(60)
        assert finished["id"] in private(await older.press(community, "finished", "Details"))

        await older.press(community, "finished", "Pick 1", community.ben)
        assert len(community.cards[-1].attachments) == 1

        for label, pictures in (("Vary 2", 2), ("Again", 2)):
            await older.press(community, "finished", label)
            await community.pass_time(30)
            card = community.cards[-1]
            assert text_of(card).startswith(f"### {pictures} picture"), label
            assert card.attachments
        (varied,) = select(community, "SELECT DISTINCT parent_image_id FROM images WHERE parent_image_id IS NOT NULL")
        assert varied["parent_image_id"] == finished["images"][1]["id"]

        form = await older.press(community, "finished", "Edit 1")
        assert form.modal
        components: list[dict[str, Any]] = form.modal["components"]
        fields = {each["component"]["custom_id"]: each["component"] for each in components}
        usual = next(each["value"] for each in fields["model"]["options"] if each.get("default"))
        await community.ada.submit_modal(form, {"instruction": "make it night", "model": [usual]})
        await community.pass_time(30)
        assert "make it night" in text_of(community.cards[-1])
        assert community.cards[-1].attachments

        form = await older.press(community, "finished", "Register")
        draft = await community.ada.submit_modal(form, {"picture": [finished["images"][1]["id"]]})
        assert draft.response
        assert "a registration to submit" in text_of(draft.response.message)

        asked = await older.press(community, "finished_to_delete", "Delete")
        assert asked.response
        assert older.find_post(community, "finished_to_delete").attachments
        await community.ada.click(asked.response.message, label="Delete for good")
        await community.clock.settle()
        assert not older.find_post(community, "finished_to_delete").attachments
        (image,) = select(community, "SELECT deleted_by FROM images WHERE id = ?", doomed["images"][0]["id"])
        assert image["deleted_by"] == community.ada.id
        assert doomed["images"][0]["sha256"] not in {path.name for path in community.files}
        assert len(older.find_post(community, "finished").attachments) == 2


@pytest.mark.parametrize("older", SINCE_REFUSED_CARDS, indirect=True)
@pytest.mark.parametrize("deleted", [(), ("refused",)], ids=["its card exists", "its card was deleted"])
async def test_a_refused_card_is_shown_and_stays_in_age_restricted_channels(
    older: OlderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: tuple[str, ...]
) -> None:
    request = older.story["refused"]
    async with older.open_copy(tmp_path / "data", monkeypatch, deleted=deleted) as community:
        await community.pass_time(60)
        (job,) = select(community, "SELECT state, message_id FROM jobs WHERE id = ?", request["id"])
        assert job["state"] == "done"
        assert (job["message_id"] != older.story["posts"]["refused"]) == bool(deleted)
        card = next(each for each in community.cards if each.id == job["message_id"])
        assert len(card.attachments) == 1
        assert select(community, "SELECT sha256 FROM images WHERE job_id = ?", request["id"]) == [
            {"sha256": request["images"][0]["sha256"]}
        ]
        assert not select(community, "SELECT 1 FROM notes WHERE name LIKE 'undelivered %'"), "Ben is told nothing more"
        answer = await community.ben.slash(community.review, "show", job=request["id"])
        assert community.env.errors, "SimCord counts a refusal as one"
        assert ["age-restricted" in each.content for each in answer.followups] == [True]


async def test_this_version_makes_a_folder_and_opens_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, folder = tmp_path / "golden", tmp_path / "folder"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        await make_folder(target, patch, folder)
    made = OlderFolder(target)
    assert made.story.keys() == OlderFolder(GOLDEN / FOLDERS[-1]).story.keys()
    async with made.open_copy(tmp_path / "data", monkeypatch) as community:
        await community.pass_time(60)
        assert len(made.find_post(community, "under_way").attachments) == 4
