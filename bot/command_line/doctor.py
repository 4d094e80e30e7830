"""`python -m bot doctor`: checks what the bot needs, and says what to put right."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import aiohttp
import discord
from sqlalchemy.exc import OperationalError

from bot.absence import ALIVE
from bot.assembly.providers import providers_of
from bot.assembly.publishing import missing_in, pins_of, reading_registrar
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import BotError, Refused
from bot.http import client as http
from bot.jobs.machine import MEGABYTE, free_bytes
from bot.pinning.pins import Pins
from bot.providers.interface import TellsBalance
from bot.providers.trainer_entries import LABELS
from bot.workflows.reviewing.reminders import CHANNEL_GONE, CHOOSE
from storage.community.communities import Community
from storage.database import is_locked, open_to_read
from storage.registering import pins as pin_rows

MOST = 100
"""Communities whose roles and channels are looked up: each is a request to Discord or two."""
SILENT = 300.0
"""Seconds after which a bot that notes once a minute that it runs has stopped doing so."""


async def doctor(settings: Settings) -> bool:
    """Print each check with its result and, where it fails, the fix; True when all is well."""
    well = True

    def report(good: bool, what: str) -> None:
        nonlocal well
        well = well and good
        print(f"{'ok  ' if good else 'FAIL'} {what}")

    report(True, "The settings are complete.")
    report(*_check_room(settings))
    report(*_check_database(settings.data_dir / "bot.db"))
    report(*_check_life(settings.data_dir / "bot.db"))
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with client:
            await client.login(settings.discord_token.get_secret_value())
            report(True, f"Discord knows the bot as {client.user}.")
            await _check_communities(settings.data_dir / "bot.db", client, report)
    except discord.LoginFailure:
        report(False, "Discord does not accept DISCORD_TOKEN. Reset it in the Developer Portal > Bot.")
    except (discord.HTTPException, OSError) as error:
        report(False, f"Discord cannot be reached: {error}")
    async with http.session() as session:
        for provider in providers_of(settings, session, (), SystemClock()).values():
            label = LABELS[provider.name]
            if not isinstance(provider, TellsBalance):
                report(True, f"{label}: This image service does not tell what is left on the account.")
                continue
            try:
                balance = await provider.balance()
                report(balance > 0, f"${balance / 1e6:.2f} left at {label}. Top up there when it runs low.")
            except Refused as error:
                report(True, f"{label}: {error}")
            except BotError as error:
                report(False, f"{label}: {error}")
        await _check_registering(settings, session, report)
    if settings.public_url is None:
        report(True, "No PUBLIC_URL: the bot asks trainers by itself.")
    else:
        report(
            True,
            f"Trainers call back at {settings.public_url}callbacks/, and wallets sign at {settings.public_url}wallet/; "
            f"your proxy passes both to port {settings.web_port}.",
        )
    return well


async def _check_communities(path: Path, client: discord.Client, report: Callable[[bool, str], None]) -> None:
    """Whether the moderators' roles and the channels for approval requests that communities have chosen still exist."""
    for guild_id, community in _load_communities(path).items():
        role_id, channel_id = community.moderator_role_id, community.review_channel_id
        if role_id is None and channel_id is None:
            continue
        try:
            guild = await client.fetch_guild(guild_id, with_counts=False)
        except (discord.NotFound, discord.Forbidden):
            continue  # the bot is not there any more
        if role_id is not None and guild.get_role(role_id) is None:
            report(False, f"{guild.name}: the moderators' role does not exist any more. {CHOOSE}")
        if channel_id is not None:
            try:
                await client.fetch_channel(channel_id)
            except discord.NotFound:
                report(False, f"{guild.name}: {CHANNEL_GONE} {CHOOSE}")
            except discord.Forbidden:
                report(False, f"{guild.name}: The bot cannot see the channel for approval requests. {CHOOSE}")


def _load_communities(path: Path) -> dict[int, Community]:
    if not path.exists():
        return {}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        stored = connection.execute("SELECT guild_id, settings FROM communities ORDER BY guild_id LIMIT ?", (MOST,))
        return {guild_id: Community.model_validate_json(text) for guild_id, text in stored}


async def _check_registering(
    settings: Settings, session: aiohttp.ClientSession, report: Callable[[bool, str], None]
) -> None:
    """What registrations need: nothing where none of it is set, all of it where some is."""
    missing = missing_in(settings)
    if len(missing) == 3:
        report(True, "Images are not registered on Story: WALLET_PRIVATE_KEY and its neighbours are not set.")
        return
    for name in missing:
        report(False, f"Images cannot be registered: {name} is missing.")
    pins = pins_of(settings, session)
    for service in pins.services if pins else ():
        try:
            report(True, await service.check())
        except BotError as error:
            report(False, f"{service.label}: {error}")
    for service, count in (await count_missing_pins(settings, pins)).items():
        sentence = f"{service} lacks {count} files of registered images: a running bot sends them until it has them."
        report(False, sentence)
    if settings.wallet_private_key is None:
        return
    try:
        # It signs nothing, so it needs no database, which a running bot has locked.
        readiness = await reading_registrar(settings, session).readiness()
    except BotError as error:
        report(False, str(error))
        return
    for check in readiness.checks:
        report(check.good and not (check.name == "balance" and readiness.runs_low), check.sentence)


async def count_missing_pins(settings: Settings, pins: Pins | None) -> dict[str, int]:
    """How many files of registered images each pinning service is not known to have; those with all are left out."""
    path = settings.data_dir / "bot.db"
    if pins is None or not path.exists():
        return {}
    database = open_to_read(path)
    try:
        async with database.read() as db:
            counts = {each.label: await pin_rows.count_missing_at(db, each.name) for each in pins.services}
    except OperationalError:  # of an older bot: the first start adds what is lacking
        return {}
    finally:
        await database.close()
    return {label: count for label, count in counts.items() if count}


def _check_room(settings: Settings) -> tuple[bool, str]:
    """Whether there is room on the disk for more than what is under way."""
    free, margin = free_bytes(settings.data_dir.absolute()) / MEGABYTE, settings.min_free_disk_mb
    words = f"{free / 1000:,.1f} GB free for {settings.data_dir} (a picture takes 1 to 5 MB)."
    if free < margin:
        words += f" The bot orders nothing below {margin:,} MB (MIN_FREE_DISK_MB): make room."
    elif free < 5 * margin:
        words += f" Below {margin:,} MB (MIN_FREE_DISK_MB) the bot orders nothing: make room soon."
    return free >= 5 * margin, words


def _check_life(path: Path) -> tuple[bool, str]:
    """Whether a bot that runs on this folder still notes once a minute that it does."""
    if not is_locked(path):
        return True, f"No bot runs on {path.parent} just now."
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        noted = connection.execute("SELECT content FROM notes WHERE name = ?", [ALIVE]).fetchone()
    silent = SystemClock().now() - float(noted[0]) if noted else 0.0
    if silent < SILENT:
        return True, f"The bot runs on {path.parent}."
    return False, (
        f"The bot runs on {path.parent}, and has noted nothing for {silent / 60:.0f} minutes: it hangs, or cannot "
        "write. Look at its log, then restart it."
    )


def _check_database(path: Path) -> tuple[bool, str]:
    if not path.exists():
        return True, f"{path} will be made at the first start."
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        integrity = connection.execute("PRAGMA integrity_check").fetchone()[0]
        unknown = connection.execute(
            "SELECT COUNT(*) FROM jobs WHERE state = 'unknown' AND parent_id IS NOT NULL"
        ).fetchone()[0]
    return integrity == "ok", f"{path}: integrity {integrity}; {unknown} pictures with an unknown outcome."
