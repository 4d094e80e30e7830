"""Turns a WebP on stdin into a PNG on stdout. `decode.py` runs it as a program of its own.

A crafted lossless WebP of 700 kB makes libwebp take 400 MB (65,536 Huffman tables for a picture of 4 megapixels; seen
with libwebp 1.6.0 in Pillow 13.0.0), and no header tells. So it is decoded where the kernel says no: in a process
that gets the memory an honest picture of its size takes. It exits with 0, or with another status for a bad file.
"""

import io
import sys
from pathlib import Path

from PIL import Image, WebPImagePlugin


def limit_memory(allowance: int) -> None:
    """Let this process have so many bytes more than it has now. Only Linux tells how many that are."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - there is none on Windows

        has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (has + allowance, has + allowance))


def convert() -> None:
    """Pixels, colour profile and EXIF (it may be sideways) come through."""
    with WebPImagePlugin.WebPImageFile(io.BytesIO(sys.stdin.buffer.read())) as image:
        image.load()
        kept = {key: image.info[key] for key in ("icc_profile", "exif") if key in image.info}
        image.save(sys.stdout.buffer, "PNG", compress_level=1, **kept)


if __name__ == "__main__":
    Image.preinit()  # loads what saves a PNG
    limit_memory(int(sys.argv[1]))
    convert()
