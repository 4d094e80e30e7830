"""`python -m benchmarks [name…]`: measure the bot beside named alternatives, in the same run, on this machine."""

import argparse
import asyncio
import importlib
import json
import os
import platform
import shlex
import sqlite3
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.tables import Table

NAMES = ("polling", "load", "burst", "slots", "training_set", "announcing", "cids", "registrations")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(NAMES)}; all, unless told")
    parser.add_argument("--quick", action="store_true", help="a short version: the same shape, noisier numbers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured to FILE, too")
    args = parser.parse_args()
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    heading = describe()
    print(heading, flush=True)
    tables: list[Table] = []
    for name in args.names or NAMES:
        began = time.monotonic()
        table: Table = asyncio.run(importlib.import_module(f"benchmarks.measurements.{name}").measure(quick=args.quick))
        table.notes.append(f"It took {time.monotonic() - began:.0f} s; load of the machine at its end {_load()}.")
        tables.append(table)
        print(f"\n{table}", flush=True)
        if args.json:
            written = {"heading": heading, "tables": [each.as_json() for each in tables]}
            args.json.write_text(json.dumps(written, indent=1))
    return 0


def describe() -> str:
    """The command, the day and the machine, without which no number means anything."""
    command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in ("discord.py", "aiohttp", "SQLAlchemy"))
    return (
        f"# {command}\n\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores ({_processor()}), "
        f"{memory:.0f} GiB, {platform.system()} {platform.machine()}; Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {versions}; load at the start {_load()}.\n"
        "All processes (bot, Discord, provider, and this one) share these cores."
    )


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
