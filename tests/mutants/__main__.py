"""`python -m tests.mutants [words of a guard]`: take out each guard, and see its test fail."""

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import ROOT
from tests.mutants.mutant import Mutant
from tests.mutants.table import MUTANTS

NOTICED, NO_SUCH_TEST = 1, (2, 3, 4, 5)
"""Exit codes of pytest: a test has failed; no test was run."""
LINKED = (".venv", ".tools")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only guards with one of these in their sentence or file")
    parser.add_argument("--at-once", type=int, default=2, help="copies that are tested side by side")
    chosen = parser.parse_args()
    wanted = [
        each for each in MUTANTS if not chosen.words or any(w in f"{each.guard} {each.file}" for w in chosen.words)
    ]
    began = time.monotonic()
    faults = asyncio.run(_try_all(wanted, chosen.at_once))
    print(f"\n{len(wanted)} guards, {len(faults)} without a test that notices; {time.monotonic() - began:.0f} s.")
    return 1 if faults or not wanted else 0


async def _try_all(mutants: list[Mutant], at_once: int) -> list[str]:
    """What is wrong, a sentence each."""
    waiting, faults = list(reversed(mutants)), list[str]()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:

        async def work(copy: Path) -> None:
            await asyncio.to_thread(_copy_tree, copy)
            while waiting:
                mutant = waiting.pop()
                fault = await _try(mutant, copy)
                print(f"{'NOT NOTICED' if fault else 'noticed':12} {mutant.guard}{f': {fault}' if fault else ''}")
                sys.stdout.flush()
                faults.extend([fault] if fault else [])

        await asyncio.gather(*(work(Path(folder) / str(number)) for number in range(at_once)))
    return faults


def _copy_tree(copy: Path) -> None:
    """Every file that git knows, as it is now."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S607
    for name in names.decode().split("\0"):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    for name in LINKED:
        if (ROOT / name).exists():
            (copy / name).symlink_to((ROOT / name).resolve())


async def _try(mutant: Mutant, copy: Path) -> str | None:
    """Why it counts as not noticed; None where its test fails, as it should."""
    if mutant.count != 1:
        return f"its text is {mutant.count} times in {mutant.file}; the table has to follow the code"
    path = copy / mutant.file
    original = path.read_text(encoding="utf-8")
    path.write_text(original.replace(mutant.text, mutant.becomes), encoding="utf-8")
    try:
        tested = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.test),
            cwd=copy,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        words, _ = await tested.communicate()
    finally:
        path.write_text(original, encoding="utf-8")
    if tested.returncode == NOTICED:
        return None
    if tested.returncode in NO_SUCH_TEST:
        return f"pytest could not run {mutant.test}: {words.decode(errors='replace')[-300:]}"
    return f"{mutant.test} passes without it"


if __name__ == "__main__":
    sys.exit(main())
