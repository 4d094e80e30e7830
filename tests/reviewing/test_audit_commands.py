"""`/audit` and the settings that are audited, as those who manage a server see them."""

import csv
import io
import json
from typing import Any

import pytest
import simcord
from discord import app_commands

from bot.workflows.reviewing.audit import Export, as_csv, as_json
from storage.community import communities
from storage.reviewing import audit
from storage.reviewing.audit import AuditEntry
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, private

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A community in which one request was approved and one denied."""
    community = await make_community()
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    for prompt in ("first", "second"):
        await community.imagine(prompt=prompt)
        await community.pass_time(1)
    first, second = community.review.history()
    await community.mia.click(first, label="Approve")
    form = await community.mia.click(second, label="Deny")
    await community.mia.submit_modal(form, {"reason": "=HYPERLINK(“evil”) costs too much"})
    await community.pass_time(20)
    return community


async def export(community: Community, **options: Any) -> tuple[str, bytes]:
    """What is said, and the file."""
    result = await community.olga.slash(community.studio, "audit export", **options)
    assert result.ephemeral
    assert result.response
    (file,) = result.response.attachments
    return result.response.content, await file.read()


async def settings(community: Community, **options: Any) -> str:
    return private(await community.olga.slash(community.studio, "admin settings", **options))


async def test_the_export_has_every_decision_and_says_the_head_to_be_kept(community: Community) -> None:
    reply, content = await export(community)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [(row["action"], row["actor_id"]) for row in rows] == [
        ("spend approved", str(community.mia.id)),
        ("spend denied", str(community.mia.id)),
    ]
    assert all(row["seen"] and row["time"].endswith("+00:00") for row in rows)
    assert reply.startswith("2 entries of this server.\n")
    assert rows[-1]["hash"] in reply
    assert "audit verify --head" in reply


async def test_each_hash_can_be_computed_again_from_the_json(community: Community) -> None:
    _, content = await export(community, format="json")
    exported = json.loads(content)
    assert exported["head"] == {"number": 2, "hash": exported["entries"][-1]["hash"]}
    previous = audit.FIRST
    for row in exported["entries"]:
        del row["time"]
        ids = {name: row[name] and int(row[name]) for name in ("guild_id", "actor_id")}
        entry = AuditEntry(**row | ids)
        assert (entry.computed, entry.previous) == (entry.hash, previous)
        previous = entry.hash


async def test_another_servers_entries_are_not_exported(community: Community) -> None:
    async with community.app.database.write() as db:
        other = await audit.add(
            db, action="spend approved", subject="x", guild_id=5, actor_id=6, now=community.clock.now()
        )
    reply, content = await export(community, format="json")
    assert len(json.loads(content)["entries"]) == 2
    assert other.hash in reply, "the head is that of the whole chain"


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"since": "2027-01-16"}, 0),
        ({"since": "2027-01-15"}, 2),
        ({"until": "2027-01-14"}, 0),
        ({"since": " 2027-01-15 ", "until": "2027-01-15"}, 2),
    ],
)
async def test_days_are_chosen_in_utc(community: Community, options: dict[str, str], count: int) -> None:
    _, content = await export(community, format="json", **options)
    assert len(json.loads(content)["entries"]) == count


async def test_a_day_that_is_none_is_explained(community: Community) -> None:
    reply = private(await community.olga.slash(community.studio, "audit export", since="yesterday"))
    assert reply == "“yesterday” is not a day. Write it like 2026-11-30."
    assert community.env.errors


@pytest.mark.parametrize("command", ["audit export", "audit show"])
async def test_only_those_who_manage_the_server_read_the_audit(community: Community, command: str) -> None:
    options = {"subject": "x"} if command.endswith("show") else {}
    with pytest.raises(simcord.SetupError, match="default-member-permissions"):
        await community.mia.slash(community.studio, command, **options)


async def test_the_bot_asks_for_the_permission_itself(community: Community) -> None:
    """A server can open a command to everybody in Discord's own settings."""
    command = community.app.client.tree.get_command("audit")
    assert isinstance(command, app_commands.Group)
    command.default_permissions = None
    await community.app.client.tree.sync()
    assert private(await community.mia.slash(community.studio, "audit export")) == (
        "Only those who may manage this server can read its audit."
    )
    assert community.env.errors


async def test_the_story_of_one_request_is_shown(community: Community) -> None:
    (entry,) = [each for each in await entries(community) if each.action == "spend denied"]
    reply = private(await community.olga.slash(community.studio, "audit show", subject=f" `{entry.subject}` "))
    assert reply.startswith("### 1 entry about")
    assert f"**spend denied** by <@{community.mia.id}>" in reply
    assert "costs too much" in reply
    assert "Nothing is written down" in private(
        await community.olga.slash(community.studio, "audit show", subject="nothing")
    )


async def entries(community: Community) -> list[AuditEntry]:
    async with community.app.database.read() as db:
        return await audit.of_guild(db, community.guild.id)


def entry(**columns: Any) -> AuditEntry:
    usual: dict[str, Any] = {
        "number": 1,
        "at": 1_800_000_000.5,
        "guild_id": 2**60 + 1,
        "actor_id": None,
        "action": "spend denied",
        "subject": "x",
        "seen": None,
        "details": "{}",
        "previous": "0" * 64,
        "hash": "a" * 64,
    }
    return AuditEntry(**usual | columns)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_of_the_csv_is_a_formula(start: str) -> None:
    written = as_csv([entry(subject=f"{start}cmd|'/C calc'!A0", action=f"{start}1", details=f'{start}{{"a": 1}}')])
    (row,) = csv.DictReader(io.StringIO(written.decode("utf-8-sig"), newline=""))
    assert [row[name][0] for name in ("subject", "action", "details")] == ["'", "'", "'"]
    assert row["subject"] == f"'{start}cmd|'/C calc'!A0"


def test_ids_are_text_that_no_program_rounds() -> None:
    assert json.loads(as_json(Export([entry()], 1, "a")))["entries"][0]["guild_id"] == str(2**60 + 1)
    assert str(2**60 + 1) in as_csv([entry()]).decode()


# Settings.


async def test_who_changes_what_decides_is_written_down_with_old_and_new(community: Community) -> None:
    before = len(await entries(community))
    reply = await settings(community, own_decisions=True, community_wallet=MIXED, member_registrations=9)
    assert "**Moderators decide on their own images:** yes, and each such decision is logged as one" in reply
    assert f"**The community's wallet:** `{MIXED}`" in reply
    assert "**Registrations of one member at once:** 9" in reply
    await settings(community, own_decisions=True, community_wallet=MIXED.lower())
    await settings(community, own_decisions=False)
    await settings(community, clear="community_wallet")
    await settings(community, clear="moderator_role")
    written = [(entry.content, entry.actor_id, entry.action) for entry in (await entries(community))[before:]]
    assert [content for content, _, _ in written] == [
        {"setting": "own_decisions", "old": "off", "new": "on"},
        {"setting": "community_wallet", "old": None, "new": MIXED},
        {"setting": "own_decisions", "old": "on", "new": "off"},
        {"setting": "community_wallet", "old": MIXED, "new": None},
        {"setting": "moderator_role", "old": str(community.role.id), "new": None},
    ]
    assert {(who, action) for _, who, action in written} == {(community.olga.id, "setting changed")}


async def test_looking_at_the_settings_changes_and_writes_nothing(community: Community) -> None:
    before = await entries(community)
    reply = await settings(community)
    assert "**The community's wallet:** none" in reply
    assert "**Moderators decide on their own images:** no" in reply
    assert await entries(community) == before


@pytest.mark.parametrize("wallet", [WALLET, WALLET.lower(), f" {MIXED} ", MIXED.lower()])
async def test_a_wallet_is_kept_in_its_checksum_spelling(community: Community, wallet: str) -> None:
    await settings(community, community_wallet=wallet)
    async with community.app.database.read() as db:
        kept = (await communities.find(db, community.guild.id)).wallet
    assert kept == (WALLET if wallet.strip().lower() == WALLET.lower() else MIXED)


@pytest.mark.parametrize(
    "wallet",
    [
        MIXED.replace("A", "a", 1),
        MIXED[:-1],
        MIXED[2:],
        "0x" + "0" * 40,
        "vitalik.eth",
        "0x" + "g" * 40,
    ],
)
async def test_a_mistyped_wallet_is_refused_and_nothing_changes(community: Community, wallet: str) -> None:
    reply = await settings(community, community_wallet=wallet, own_decisions=True)
    assert "wallet" in reply.lower()
    assert "###" not in reply
    async with community.app.database.read() as db:
        kept = await communities.find(db, community.guild.id)
    assert (kept.wallet, kept.own_decisions) == (None, False)
    assert community.env.errors
