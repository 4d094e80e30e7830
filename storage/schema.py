"""The tables, as the migrations leave them (tests/storage/test_migrations.py proves that both agree).

Ids of Discord are 64-bit integers, times are Unix seconds, money is in millionths of a US dollar.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()


def _real(name: str) -> Column[Any]:
    return Column(name, Float, nullable=False)


def _nullable(name: str, kind: type[TypeEngine[Any]]) -> Column[Any]:
    """A column that may be empty; the others say `nullable=False`."""
    return Column(name, kind)


jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    _nullable("message_id", BigInteger),
    Column("owner_id", BigInteger, nullable=False),
    Column("parent_id", Text, ForeignKey("jobs.id", ondelete="CASCADE")),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("request", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("turn", BigInteger, nullable=False),
    Column("holds_slot", Boolean, nullable=False, server_default=false()),
    _real("due_at"),
    Column("woken", Boolean, nullable=False, server_default=false()),
    _nullable("lease_holder", Text),
    _nullable("lease_until", Float),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("cost_estimated", BigInteger, nullable=False, server_default="0"),
    _nullable("cost_actual", BigInteger),
    _nullable("error", Text),
    _real("created_at"),
    _nullable("started_at", Float),
    _nullable("ended_at", Float),
    _nullable("age_restricted", Boolean),
    Index("jobs_queue", "state", "lane", "turn", "created_at", "position", "holds_slot"),
    Index("jobs_by_due", "state", "due_at"),
    Index("jobs_by_turn", "lane", "turn"),
    Index("jobs_by_owners_turn", "owner_id", "lane", "turn"),
    Index("jobs_by_parent", "parent_id", "position"),
    Index("jobs_by_owner", "owner_id", "state", "turn", "guild_id"),
    Index("jobs_by_day", "guild_id", "created_at"),
    Index("jobs_by_message", "message_id"),
    Index("jobs_holding_slots", "lane", sqlite_where=text("holds_slot"), postgresql_where=text("holds_slot")),
)

steps = Table(
    "steps",
    metadata,
    Column("job_id", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("pays", Boolean, nullable=False),
    _nullable("digest", Text),
    _real("begun_at"),
    _nullable("finished_at", Float),
    _nullable("result", Text),
)

lanes = Table(
    "lanes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("pool", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("pool_size", Integer, nullable=False),
)

images = Table(
    "images",
    metadata,
    Column("id", Text, primary_key=True),
    Column("job_id", Text, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    _nullable("seed", BigInteger),
    _nullable("parent_image_id", Text),
    _real("created_at"),
    _nullable("deleted_at", Float),
    _nullable("deleted_by", BigInteger),
    UniqueConstraint("job_id", "position"),
    Index("images_by_sha256", "sha256"),
    Index("images_by_owner", "guild_id", "owner_id", "created_at"),
)

timings = Table(
    "timings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("what", Text, nullable=False),
    _real("seconds"),
    _real("at"),
    Index("timings_by_what", "what", "id"),
)

communities = Table(
    "communities",
    metadata,
    Column("guild_id", BigInteger, primary_key=True),
    Column("settings", Text, nullable=False),
    Column("updated_by", BigInteger, nullable=False),
    _real("updated_at"),
)

members = Table(
    "members",
    metadata,
    Column("user_id", BigInteger, primary_key=True),
    Column("defaults", Text, nullable=False),
    _real("updated_at"),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner_id", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
    _real("expires_at"),
    Index("drafts_by_expiry", "expires_at"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    _nullable("message_id", BigInteger),
    Column("requested_by", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("digest", Text, nullable=False),
    _nullable("claimed_by", BigInteger),
    _nullable("claimed_until", Float),
    _nullable("decided_by", BigInteger),
    _nullable("decided_at", Float),
    _nullable("reason", Text),
    _real("created_at"),
    _real("expires_at"),
    Column("reminders", Integer, nullable=False, server_default="0"),
    _nullable("reminded_at", Float),
    Index("reviews_open", "guild_id", "state", "created_at"),
    Index("reviews_by_subject", "subject", "created_at"),
    Index("reviews_by_state", "state", "expires_at"),
)

review_talk = Table(
    "review_talk",
    metadata,
    Column("review_id", Text, ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("asked_by", BigInteger, nullable=False),
    Column("question", Text, nullable=False),
    _real("asked_at"),
    _nullable("answer", Text),
    _nullable("answered_at", Float),
)

notes = Table(
    "notes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),
)

finetunes = Table(
    "finetunes",
    metadata,
    Column("id", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("open_to_others", Boolean, nullable=False, server_default=false()),
    _nullable("training_set", Text),
    _nullable("sheet", Text),
    _nullable("ref", Text),
    _nullable("progress", Text),
    _nullable("model", Text),
    _nullable("strength", Float),
    _nullable("frozen_at", Float),
    _nullable("frozen_by", BigInteger),
    _nullable("ready_at", Float),
    _nullable("expires_at", Float),
    _nullable("warned_at", Float),
    _real("created_at"),
    _real("changed_at"),
    _nullable("deleted_at", Float),
    _nullable("deleted_by", BigInteger),
    Index(
        "finetunes_by_name",
        "guild_id",
        "name_key",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("finetunes_by_state", "state", "changed_at"),
)

training_images = Table(
    "training_images",
    metadata,
    Column("finetune_id", Text, ForeignKey("finetunes.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("name", Text, nullable=False),
    _nullable("caption", Text),
    Column("bytes", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("original_sha256", Text, nullable=False),
    Column("original_width", Integer, nullable=False),
    Column("original_height", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("contributor_id", BigInteger, nullable=False),
    Column("added_by", BigInteger, nullable=False),
    _nullable("source", Text),
    _nullable("inspection", Text),
    _real("added_at"),
    _nullable("consented_at", Float),
    _nullable("consented_by", BigInteger),
    _nullable("withdrawn_at", Float),
    Index("training_images_by_sha256", "sha256"),
    Index("training_images_by_contributor", "contributor_id"),
)

finetune_shares = Table(
    "finetune_shares",
    metadata,
    Column("finetune_id", Text, ForeignKey("finetunes.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("subject_id", BigInteger, primary_key=True),
)

finetune_samples = Table(
    "finetune_samples",
    metadata,
    Column("finetune_id", Text, ForeignKey("finetunes.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Index("finetune_samples_by_sha256", "sha256"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job_id", Text, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("entry", Text, nullable=False),
    _nullable("amount", BigInteger),
    Column("note", Text, nullable=False),
    _real("at"),
    UniqueConstraint("job_id", "entry"),
    Index("ledger_by_day", "guild_id", "at"),
)

registrations = Table(
    "registrations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("image_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("preview", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("details", Text, nullable=False),
    _nullable("previous_id", Text),
    _nullable("terms", Text),
    _nullable("digest", Text),
    _nullable("approval_id", Text),
    _nullable("undo_until", Float),
    Column("tries", Integer, nullable=False, server_default="0"),
    _nullable("image_cid", Text),
    _nullable("ip_metadata", Text),
    _nullable("ip_cid", Text),
    _nullable("nft_metadata", Text),
    _nullable("nft_cid", Text),
    _nullable("token_id", Text),
    _nullable("ip_id", Text),
    _nullable("tx_hash", Text),
    _nullable("outcome", Text),
    _nullable("error", Text),
    _real("created_at"),
    _real("changed_at"),
    _nullable("submitted_at", Float),
    _nullable("confirmed_at", Float),
    Index("registrations_by_image", "image_id", "state"),
    Index("registrations_by_sha256", "sha256", "state"),
    Index("registrations_by_guild", "guild_id", "state", "changed_at"),
    Index("registrations_by_owner", "owner_id", "state"),
    Index("registrations_by_ip", "ip_id"),
)

pins = Table(
    "pins",
    metadata,
    Column("registration_id", Text, ForeignKey("registrations.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("cid", Text, nullable=False),
    _nullable("pin_id", Text),
    _real("pinned_at"),
    _nullable("unpinned_at", Float),
    _nullable("confirmed_at", Float),
    Index("pins_by_sha256", "sha256", "service"),
)

transactions = Table(
    "transactions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("to_address", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    _nullable("mined_hash", Text),
    _nullable("block_number", BigInteger),
    _nullable("block_hash", Text),
    _nullable("gas_used", BigInteger),
    _nullable("gas_price", Text),
    _nullable("error", Text),
    _real("created_at"),
    _nullable("ended_at", Float),
    Index("transactions_open", "sender", "chain_id", "state"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("transaction_id", Text, ForeignKey("transactions.id", ondelete="CASCADE"), nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("raw", Text, nullable=False),
    Column("max_fee", Text, nullable=False),
    Column("tip", Text, nullable=False),
    _real("signed_at"),
    _nullable("sent_at", Float),
    Index("attempts_by_transaction", "transaction_id", "signed_at"),
    Index("attempts_by_nonce", "sender", "chain_id", "nonce"),
)

wallets = Table(
    "wallets",
    metadata,
    Column("user_id", BigInteger, primary_key=True),
    Column("address", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("signature", Text, nullable=False),
    _real("linked_at"),
    Index("wallets_by_address", "address"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    _real("at"),
    _nullable("guild_id", BigInteger),
    _nullable("actor_id", BigInteger),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    _nullable("seen", Text),
    Column("details", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Index("audit_by_guild", "guild_id", "number"),
    Index("audit_by_subject", "subject", "number"),
)
