"""What training_set.py measures: each process prepares the pictures of a folder in one way, and says what it took.

They import no more than they need, so that their memory is that of the work.
"""

import argparse
import asyncio
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from bot.pictures.decode import Decoder
from bot.pictures.training_sets.preparing import TRAINING_PIXELS, prepare_training_picture


def _prepare_plainly(path: Path, _name: str) -> bytes:
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
    side = (TRAINING_PIXELS * image.width / image.height) ** 0.5
    image.thumbnail(
        (int(side), int(side * image.height / image.width) + 1), Image.Resampling.LANCZOS, reducing_gap=None
    )
    content = io.BytesIO()
    image.save(content, "JPEG", quality=95)
    return content.getvalue()


def _prepare(path: Path, name: str) -> bytes:
    return prepare_training_picture(path, name).content


def _prepare_each(prepare: Callable[[Path, str], bytes], paths: list[Path]) -> int:
    return sum(len(prepare(path, path.name)) for path in paths)


async def _prepare_beside(paths: list[Path]) -> tuple[int, dict[str, Any]]:
    """As the bot does it: one picture after the other in the decoder's thread."""
    from benchmarks.harness import Ticker  # noqa: PLC0415 - what it brings along is not to be in the others' memory

    decoder, ticker, total = Decoder(), Ticker(), 0
    await asyncio.sleep(0.2)
    ticker.take()
    for path in paths:
        total += len(await decoder.run(_prepare, path, path.name))
    stalls = ticker.take()
    ticker.stop()
    await decoder.close()
    return total, stalls


def _peak() -> int:
    """Bytes: the most that this process has had. Not ru_maxrss, which begins with what its parent had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("ours", "plain", "decoder"))
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    paths = sorted(args.folder.glob("*.jpg"))
    Image.preinit()
    before, began, figures = _peak(), time.perf_counter(), dict[str, Any]()
    if args.kind == "decoder":
        size, figures["stalls"] = asyncio.run(_prepare_beside(paths))
    else:
        size = _prepare_each(_prepare if args.kind == "ours" else _prepare_plainly, paths)
    wall = time.perf_counter() - began
    print(json.dumps({"wall": wall, "peak": _peak(), "extra": _peak() - before, "bytes": size, **figures}))


if __name__ == "__main__":
    main()
