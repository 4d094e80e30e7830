"""What it costs to make twenty phone pictures ready for training, and whether the bot hears and answers meanwhile."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

from benchmarks.harness import Json
from benchmarks.tables import Table, ms
from bot.pictures.training_sets.preparing import TRAINING_PIXELS

WIDTH, HEIGHT = 4000, 3000


async def measure(*, quick: bool) -> Table:
    count, times = (5, 1) if quick else (20, 3)
    table = Table(
        "training_set",
        f"{count} JPEGs of {WIDTH} × {HEIGHT} to at most {TRAINING_PIXELS / 1e6:.0f} megapixel, quality 95, each way "
        f"in a fresh process; the best of {times} runs. The plain loop opens, turns upright, makes a thumbnail, saves.",
        ("ours", "plain Pillow loop"),
    )
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        size = await asyncio.to_thread(_write_pictures, folder, count)
        runs = {kind: [await _run(kind, folder) for _ in range(times)] for kind in ("ours", "plain")}
        beside = await _run("decoder", folder)
    ours, plain = (min(runs[kind], key=lambda run: run["wall"]) for kind in ("ours", "plain"))
    wall, peak = 2.0 * count / 20, 80.0
    table.add(
        "wall",
        f"{ours['wall']:.2f} s",
        f"{plain['wall']:.2f} s",
        aim=f"≤ {wall:g} s",
        met=ours["wall"] <= wall,
    )
    table.add("a picture", ms(ours["wall"] / count), ms(plain["wall"] / count))
    table.add(
        "most memory of the process",
        *(f"{run['peak'] / 1e6:.0f} MB" for run in (ours, plain)),
        aim=f"≤ {peak:g} MB",
        met=ours["peak"] <= 1e6 * peak,
    )
    table.add("of it, above what it began with", *(f"{run['extra'] / 1e6:.0f} MB" for run in (ours, plain)))
    table.add("result", *(f"{run['bytes'] / 1e6:.1f} MB" for run in (ours, plain)))
    stalls = beside["stalls"]
    table.add("longest stall of the event loop", ms(stalls["longest"]), aim="≤ 100 ms", met=stalls["longest"] <= 0.1)
    table.add("stalls, p999", ms(stalls["p999"]))
    table.add("wall beside the event loop", f"{beside['wall']:.2f} s")
    table.notes.append(f"The pictures have {size / count / 1e6:.1f} MB each. Ours takes a fingerprint of each, too.")
    table.raw = {**runs, "decoder": beside}
    return table


def _write_pictures(folder: Path, count: int) -> int:
    """Pictures with shapes, gradients and grain, like a photo's for the decoder; the bytes of all."""
    total = 0
    for number in range(count):
        large = Image.effect_noise((WIDTH // 100, HEIGHT // 100), 120).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)  # pyright: ignore[reportUnknownMemberType] # names numpy
        grain = Image.effect_noise((WIDTH, HEIGHT), 40).filter(ImageFilter.BoxBlur(1))
        grey = ImageChops.add(large, grain, 2.0)
        image = Image.merge("RGB", [ImageChops.offset(grey, 40 * number * channel) for channel in (1, 2, 3)])
        path = folder / f"{number:04d}.jpg"
        image.save(path, "JPEG", quality=92)
        total += path.stat().st_size
    return total


async def _run(kind: str, folder: Path) -> Json:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.processes.preparing", kind, str(folder), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("A measured process died.")
    return json.loads(output)
