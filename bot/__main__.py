"""The command line: `python -m bot`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import discord

from bot.command_line import collection, nonce
from bot.command_line.doctor import doctor
from bot.command_line.run import run
from bot.config import Settings, example, read_settings
from bot.errors import BotError
from bot.trouble import recognised
from bot.workflows.reviewing.audit import check as check_audit
from storage.backup import copy_everything

DEPTH = 1000
"""Calls inside calls: Python's own limit. py_ecc, which comes with web3, raises it to 100,000 when it is imported; then
a text of 65,536 brackets crashes the process in the JSON reader instead of raising an error."""


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
    _add_nonce(
        verbs.add_parser("nonce", help="look at the wallet's transactions that wait, or free a nonce that is stuck")
    )
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
        logging.captureWarnings(True)  # such as `NestedConnection`: once for each place
        logging.getLogger("alembic").setLevel(logging.WARNING)
        for chatty in ("discord", "aiosqlite", "asyncio"):  # at DEBUG, discord.py writes interactions' tokens
            logging.getLogger(chatty).setLevel(max(logging.getLevelNamesMapping()[settings.log_level], logging.INFO))
        with recognised():
            match chosen.verb:
                case "doctor":
                    return 0 if asyncio.run(doctor(settings)) else 1
                case "collection":
                    print(asyncio.run(_collection(settings, chosen)))
                case "nonce" if chosen.what == "show":
                    print(asyncio.run(nonce.show(settings)))
                case "nonce":
                    print(asyncio.run(nonce.free(settings, chosen.number)))
                case "audit":
                    check = check_audit(settings.data_dir / "bot.db", chosen.head)
                    print("\n".join(check.sentences))
                    return 0 if check.good else 1
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


def _add_nonce(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    what.add_parser("show", help="list what is signed and not final, also while the bot runs")
    free = what.add_parser("free", help="use a nonce up with a transfer of nothing; stop the bot first")
    free.add_argument("number", type=int, metavar="NONCE", help="the first one that “nonce show” lists")


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


if __name__ == "__main__":
    sys.exit(main())
