"""The command line: `python -m bot`."""

import argparse
import asyncio
import contextlib
import logging
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import discord

from bot.app import App, assemble
from bot.assembly.providers import providers_of
from bot.assembly.publishing import missing_in, pins_of, reading_registrar
from bot.clock import SystemClock
from bot.command_line import collection
from bot.config import Settings, example, read_settings
from bot.discord.alarm import tell_admin
from bot.errors import BotError, Refused
from bot.http import client as http
from bot.providers.interface import TellsBalance
from bot.providers.trainer_entries import LABELS
from bot.workflows.reviewing.audit import check as check_audit
from storage.backup import copy_everything

log = logging.getLogger("bot")

SETTLED = 600.0
"""Seconds of life after which an end is a new trouble and not the old one still."""
DEPTH = 1000
"""Calls inside calls: Python's own limit. py_ecc, which comes with web3, raises it to 100,000 when it is imported; then
a text of 65,536 brackets crashes the process in the JSON reader instead of raising an error."""
RECONNECT = (5.0, 15.0, 60.0, 300.0)
"""Seconds between tries to start: Discord allows 1,000 identifies a day, then it resets the token."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 when stopped on purpose, 1 for a failure that was explained, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    parser.add_argument("--env", type=Path, default=None, metavar="FILE", help="read settings from FILE, not .env")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND")
    verbs.add_parser("run", help="run the bot until it is stopped (what happens without a command)")
    verbs.add_parser(
        "doctor", help="check the settings, the folder, Discord and the image service, and say what to mend"
    )
    backup = verbs.add_parser("backup", help="copy the database and the pictures of a running bot into a folder")
    backup.add_argument("folder", type=Path, help="a new or empty folder for the copy")
    _add_collection(verbs.add_parser("collection", help="make, or look at, the collection that images are minted in"))
    kept = verbs.add_parser("audit", help="check that nothing was changed in who decided what, also while the bot runs")
    verify = kept.add_subparsers(dest="what", metavar="WHAT", required=True).add_parser(
        "verify", help="compute every hash again; exit code 1 where something is wrong"
    )
    verify.add_argument("--head", default=None, metavar="HASH", help="also find this hash, which was kept elsewhere")
    verbs.add_parser("example", help="print the text of .env.example")
    chosen = parser.parse_args(arguments)
    sys.setrecursionlimit(DEPTH)
    if chosen.verb == "example":
        print(example(), end="")
        return 0
    try:
        settings = read_settings(chosen.env)
        logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        for chatty in ("discord", "aiosqlite", "asyncio"):  # at DEBUG, discord.py writes interactions' tokens
            logging.getLogger(chatty).setLevel(max(logging.getLevelNamesMapping()[settings.log_level], logging.INFO))
        match chosen.verb:
            case "doctor":
                return 0 if asyncio.run(doctor(settings)) else 1
            case "collection":
                print(asyncio.run(_collection(settings, chosen)))
            case "audit":
                found = check_audit(settings.data_dir / "bot.db", chosen.head)
                print("\n".join(found.sentences))
                return 0 if found.good else 1
            case "backup":
                files = copy_everything(settings.data_dir, chosen.folder)
                print(f"Copied the database and {files} files to {chosen.folder}. The copy is whole.")
            case _:
                asyncio.run(run(settings))
    except BotError as error:
        print(error, file=sys.stderr)
        return 1
    except discord.LoginFailure:
        print("Discord does not accept DISCORD_TOKEN. Reset it in the Developer Portal > Bot.", file=sys.stderr)
        return 1
    return 0


def _add_collection(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    make = what.add_parser("create", help="make a new one on Story, paid by the bot's wallet, and print its address")
    make.add_argument("--name", required=True, help="what it is called, such as “Night Owl Studio”")
    make.add_argument("--symbol", required=True, help="its short name in capitals, such as OWL")
    make.add_argument("--contract-uri", default="", help="a link to metadata about the collection itself (EIP-7572)")
    make.add_argument("--mint-fee-recipient", default=None, help="who would get mint fees; usually the bot's wallet")
    make.add_argument("--public", action="store_true", help="let everybody mint in it; safer without")
    look = what.add_parser("show", help="say what the chain knows of one")
    look.add_argument("address", nargs="?", default=None, help="usually SPG_NFT_CONTRACT_ADDRESS")


async def _collection(settings: Settings, chosen: argparse.Namespace) -> str:
    if chosen.what == "show":
        return await collection.show(settings, chosen.address)
    return await collection.create(
        settings,
        name=chosen.name,
        symbol=chosen.symbol,
        contract_uri=chosen.contract_uri,
        mint_fee_recipient=chosen.mint_fee_recipient,
        public=chosen.public,
    )


async def run(settings: Settings) -> None:
    """Run until SIGTERM, SIGINT or `/admin drain`; then save what is under way and return.

    discord.py reconnects by itself once it was connected; what ends it all the same is started anew.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    failures = 0
    while not stopping.is_set():
        began = loop.time()
        pause = RECONNECT[min(failures, len(RECONNECT) - 1)]
        async with assemble(settings) as app, app.listening():
            await _live(app, stopping, pause)
        failures = 0 if loop.time() - began > SETTLED else failures + 1


async def _live(app: App, stopping: asyncio.Event, pause: float) -> None:
    """Work, serve, drain.

    The workers begin before the login: while Discord is down, finished pictures are collected all the same, before
    their links die.
    """
    absence = await app.start_workers()
    log.info(absence.sentence)
    over = asyncio.create_task(_first(stopping.wait(), app.drained()), name="stop signal")
    served = asyncio.create_task(_serve(app, absence.sentence), name="discord")
    try:
        await asyncio.wait({served, over}, return_when=asyncio.FIRST_COMPLETED)
        if served.done() and not isinstance(served.exception(), discord.LoginFailure):
            log.error("The connection to Discord ended; starting anew in %.0f s.", pause, exc_info=served.exception())
            await asyncio.wait({over}, timeout=pause)
    finally:
        if over.done():
            stopping.set()
            log.info("Stopping: what is under way is being saved.")
        await app.stop_workers()
        over.cancel()
        await app.client.close()
        served.cancel()  # discord.py goes on connecting a closed client, for ever
        ended = (await asyncio.gather(served, return_exceptions=True))[0]
    if isinstance(ended, discord.LoginFailure | discord.PrivilegedIntentsRequired):
        raise ended


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Return when the first of them does."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _serve(app: App, greeting: str) -> None:
    """Log in and stay connected."""
    async with app.client:
        await app.client.login(app.settings.discord_token.get_secret_value())
        greeted = asyncio.create_task(_greet(app, greeting), name="greeting")
        try:
            await app.client.connect(reconnect=True)
        finally:
            greeted.cancel()


async def _greet(app: App, sentence: str) -> None:
    await app.client.wait_until_ready()
    await tell_admin(app.client, app.settings, sentence)


async def doctor(settings: Settings) -> bool:
    """Print each check with its result and, where it fails, the fix; True when all is well."""
    well = True

    def report(good: bool, what: str) -> None:
        nonlocal well
        well = well and good
        print(f"{'ok  ' if good else 'FAIL'} {what}")

    report(True, "The settings are complete.")
    free = shutil.disk_usage(settings.data_dir if settings.data_dir.exists() else Path.cwd()).free
    report(free > 1e9, f"{free / 1e9:.1f} GB free for {settings.data_dir} (a picture takes 1 to 5 MB).")
    report(*_check_database(settings.data_dir / "bot.db"))
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with client:
            await client.login(settings.discord_token.get_secret_value())
            report(True, f"Discord knows the bot as {client.user}.")
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
            True, f"Trainers call back at {settings.public_url}; your proxy passes that to port {settings.web_port}."
        )
    return well


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


def _check_database(path: Path) -> tuple[bool, str]:
    if not path.exists():
        return True, f"{path} will be made at the first start."
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        unknown = connection.execute(
            "SELECT COUNT(*) FROM jobs WHERE state = 'unknown' AND parent_id IS NOT NULL"
        ).fetchone()[0]
    return found == "ok", f"{path}: integrity {found}; {unknown} pictures with an unknown outcome."


if __name__ == "__main__":
    sys.exit(main())
