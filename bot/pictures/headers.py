"""Reading the header of a picture file, without decoding anything.

Two questions are answered before a decoder sees a byte: may this be opened at all, and which parts of the file
does a decoder need? It is shown only those, so text, thumbnails, location, animation and all else that a file
carries cost no memory and cannot get into what is made of the picture. Only the file's content counts, never its name.

Sources: PNG, www.w3.org/TR/png-3; JPEG, ITU-T T.81 annex B; WebP, RFC 9649.
"""

import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
SNIFFED = 1024  # bytes of a file's beginning that `picture_ending` and `name_kind` look at

# The parts of a PNG besides its pixels that matter, and how many bytes they have at most. Each comes once.
_PNG_PARTS = {b"IHDR": 13, b"PLTE": 3 * 256, b"tRNS": 256, b"iCCP": 1 << 20, b"eXIf": 1 << 16, b"IEND": 0}
_MOST_CHUNKS = 50_000  # of a PNG; encoders write 4 KiB or more into each
_WORK = 5_000_000  # bytes of memory for buffers, strips, colour tables, Pillow's plugins
PROCESS = 18_000_000  # bytes of memory of a Python process with Pillow, and some to spare
_MOST_SEGMENTS = 2000  # of a JPEG before its first scan
_MOST_EXTRAS = 1 << 20  # bytes of colour profile and EXIF that are looked at
_MOST_SCANS = 32  # of a JPEG; encoders write 10 to 20, and each costs a pass over the whole picture

# How files of other kinds begin.
_KINDS = (
    (b"GIF8", "a GIF"),
    (b"%PDF-", "a PDF"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"II+\0", "a TIFF picture"),
    (b"BM", "a BMP picture"),
    (b"8BPS", "a Photoshop file"),
    (b"gimp xcf", "a GIMP file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\0\0\x01\0", "an icon file"),
)
_NO_PICTURES = frozenset({None, "a PDF", "a ZIP archive", "a video", "a web page", "a text file"})
# What an ISO base media file with this brand is; with any other one it is a video.
_BRANDS = {b"avif": "an AVIF picture", b"avis": "an AVIF picture", b"crx ": "a camera's raw picture"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "a HEIC picture"
)


class Unfit(Exception):
    """A file that cannot be used. The message completes the sentence "… cannot be used: ⟨message⟩."."""


DAMAGED = "it is damaged or cut short"


@dataclass(frozen=True, slots=True)
class Header:
    """A still picture that may be decoded.

    Decoding at 1/scale takes `memory(scale)` bytes at its peak; only JPEG can be decoded at another scale than 1.
    """

    media_type: str
    width: int
    height: int
    spans: tuple[tuple[int, int], ...]  # (start, length) of each part that the decoder is shown
    fixed: int  # bytes of memory that decoding takes at any scale
    per_pixel: int  # bytes of memory for each decoded pixel
    scales: tuple[int, ...] = (1,)

    def pixels(self, scale: int = 1) -> int:
        return -(-self.width // scale) * -(-self.height // scale)

    def memory(self, scale: int) -> int:
        return self.fixed + self.per_pixel * self.pixels(scale)


class Excerpt(io.RawIOBase):
    """The given spans of a file, as if they were all of it."""

    def __init__(self, file: BinaryIO, spans: tuple[tuple[int, int], ...]) -> None:
        super().__init__()
        self._file = file
        self._spans = spans
        self._length = sum(length for _, length in spans)
        self._position = 0
        self._span, self._span_at = 0, 0  # the span we are in, and where in the excerpt it begins

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        position = max(0, origin + offset)
        if position < self._span_at:
            self._span, self._span_at = 0, 0
        self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        while self._span < len(self._spans):
            start, length = self._spans[self._span]
            inside = self._position - self._span_at
            if inside < length:
                self._file.seek(start + inside)
                content = self._file.read(min(len(view), length - inside))
                view[: len(content)] = content
                self._position += len(content)
                return len(content)
            self._span, self._span_at = self._span + 1, self._span_at + length
        return 0


def read_header(file: BinaryIO) -> Header:
    """Read a file's header, and walk through its parts.

    Raises:
        Unfit: not a JPEG, PNG or WebP; animated; damaged; or of a kind that a camera or program never writes.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    start = file.read(SNIFFED)
    if not start:
        raise Unfit("it is empty")
    match picture_ending(start):
        case ".png":
            return _read_png(file, size)
        case ".jpg":
            return _read_jpeg(file, size)
        case ".webp":
            return _read_webp(file, size)
        case _:
            raise Unfit(f"it is {describe_kind(start)}")


def picture_ending(start: bytes) -> str | None:
    """The usual ending of the name of a picture that begins like this; None where it is no JPEG, PNG or WebP."""
    if start.startswith(_PNG):
        return ".png"
    if start.startswith(_JPEG):
        return ".jpg"
    return ".webp" if start[:4] == b"RIFF" and start[8:12] == b"WEBP" else None


def describe_kind(start: bytes) -> str:
    """What a file is that is none of ours, and what its owner can do about it."""
    kind = name_kind(start)
    advice = "" if kind in _NO_PICTURES else "; save or export it as a JPEG"
    return f"{kind or 'not a picture that is known here'}, and only JPEG, PNG and WebP pictures are understood{advice}"


def name_kind(start: bytes) -> str | None:
    """What a file is that is no JPEG, PNG or WebP, in words that its owner knows; None where that is unknown."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for prefix, name in _KINDS:
        if start.startswith(prefix):
            return name
    if start[4:8] == b"ftyp":  # ISO base media: the brand says what is inside
        return _BRANDS.get(start[8:12], "a video")
    if b"<svg" in text:
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page"
    if text.startswith((b"{", b"[", b"<")) or not set(start) & set(b"\0\x01\x02\x03\x04\x05\x06\x07\x08"):
        return "a text file"
    return None


def _read_png(file: BinaryIO, size: int) -> Header:
    """Walk the chunks to the last, keep what makes up the picture.

    Pillow and zlib check the sums of the pixels and of the palette. Of the other parts those are left out that
    programs pass over (PNG §13.1): with a wrong sum, or with content that means nothing.
    """
    spans, header, kinds, position = [(0, 8)], b"", set[bytes](), 8
    for _ in range(_MOST_CHUNKS):
        file.seek(position)
        head = file.read(8)
        length, kind = int.from_bytes(head[:4]), head[4:]
        end = position + 12 + length
        if len(head) < 8 or end > size:
            raise Unfit(DAMAGED)
        if kind == b"acTL" and int.from_bytes(file.read(4)) != 1:
            raise Unfit("it is animated")
        wanted = kind == b"IDAT" or (length <= _PNG_PARTS.get(kind, -1) and kind not in kinds)
        if wanted and (kind[:1].isupper() or _is_sound(file, kind, length, header)):
            spans.append((position, 12 + length))
        elif kind[:1].isupper():  # a part that no decoder may pass over, and none of those there are
            raise Unfit(DAMAGED)
        if kind == b"IHDR":
            file.seek(position + 8)
            header = file.read(13)
        if header[9:10] == b"\x03":  # its pixels are numbers of colours in a palette
            if kind == b"IDAT" and b"PLTE" not in kinds:
                raise Unfit(f"it has no palette, so its colours are unknown: {DAMAGED}")
            if kind == b"PLTE" and (not length or length % 3):
                raise Unfit(DAMAGED)
        kinds.add(kind)
        position = end
        if kind == b"IEND":
            break
    if len(header) < 13 or not {b"IDAT", b"IEND"} <= kinds:
        raise Unfit(DAMAGED)
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    depth, colour = header[8], header[9]
    # Pillow keeps a byte for each pixel of these, two for deep greys, and four of all others.
    per_pixel = 1 if colour == 3 or (colour == 0 and depth <= 8) else 2 if colour == 0 else 4
    return Header("image/png", width, height, tuple(spans), _WORK, per_pixel)


def _is_sound(file: BinaryIO, kind: bytes, length: int, header: bytes) -> bool:
    """Whether a part of a PNG that decoders may pass over has the sum that it says, and content of a known form."""
    content, crc = file.read(length), file.read(4)
    if crc != zlib.crc32(kind + content).to_bytes(4):
        return False
    match kind:
        case b"iCCP":  # a name of 1 to 79 bytes, and method 0
            return 0 < (end := content.find(b"\0")) < 80 and content[end + 1 : end + 2] == b"\0"
        case b"tRNS":  # one sample of grey, three of a colour, or the alphas of a palette
            return length == {0: 2, 2: 6, 3: length}.get(header[9] if len(header) == 13 else -1)
        case _:
            return True


def _read_jpeg(file: BinaryIO, size: int) -> Header:
    """Walk the segments up to the first scan, keep what makes up the picture, then look for its end."""
    spans, position = [(0, 2)], 2
    frame = scan = b""
    process = extras = 0
    for _ in range(_MOST_SEGMENTS):
        file.seek(position)
        head = file.read(20)
        if len(head) < 4 or head[0] != 0xFF:
            raise Unfit(DAMAGED)
        marker, length = head[1], int.from_bytes(head[2:4])
        if marker == 0xFF:  # padding
            position += 1
            continue
        if length < 2 or position + 2 + length > size:
            raise Unfit(DAMAGED)
        content = head[4:]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            if frame or marker > 0xC2:  # lossless, hierarchical and arithmetic: no camera or program writes them
                raise Unfit("it is a kind of JPEG that is not understood here")
            file.seek(position + 4)
            process, frame = marker, file.read(length - 2)
        if _is_extra(marker):
            if _is_needed(marker, content) and extras + length <= _MOST_EXTRAS:
                extras += length
                spans.append((position, 2 + length))
        else:
            spans.append((position, 2 + length))
        position += 2 + length
        if marker == 0xDA:
            scan = content
            break
    if not scan or len(frame) < 6 or len(frame) < 6 + 3 * frame[5]:
        raise Unfit(DAMAGED)
    end = _find_jpeg_end(file, position)
    spans.append((position, end - position))

    height, width, components = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5]), frame[5]
    # With more than one scan libjpeg holds every coefficient (2 bytes) until the last scan has come.
    several_scans = process == 0xC2 or scan[0] < components
    coefficients = 2 * _count_samples(width, height, frame) if several_scans else 0
    per_pixel = 1 if components == 1 else 4
    return Header("image/jpeg", width, height, tuple(spans), _WORK + coefficients, per_pixel, scales=(1, 2, 4, 8))


def _is_extra(marker: int) -> bool:
    """Whether a segment is of APPn or a comment: not part of the pixels."""
    return 0xE0 <= marker <= 0xEF or marker == 0xFE


def _is_needed(marker: int, content: bytes) -> bool:
    """Of those, a decoder needs JFIF, EXIF (it may be sideways), ICC and Adobe (what the colours are).

    Without its index (APP2 "MPF") a camera's two-picture MPO is an ordinary JPEG of the first one.
    """
    marks = {0xE0: b"JFIF\0", 0xE1: b"Exif\0\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
    return marker in marks and content.startswith(marks[marker])


def _count_samples(width: int, height: int, frame: bytes) -> int:
    """Samples that a JPEG's frame header declares, over all its components."""
    factors = [(frame[i] >> 4, frame[i] & 15) for i in range(7, 7 + 3 * frame[5], 3)]
    if not factors or not all(1 <= h <= 4 and 1 <= v <= 4 for h, v in factors):
        raise Unfit(DAMAGED)
    most_h, most_v = max(h for h, _ in factors), max(v for _, v in factors)
    across, down = -(-width // (8 * most_h)), -(-height // (8 * most_v))
    return sum(across * 8 * h * down * 8 * v for h, v in factors)


def _find_jpeg_end(file: BinaryIO, position: int) -> int:
    """Where the first picture ends, from its first scan on. Data after it (a second picture, a film) is left out.

    Inside a scan 0xFF is always followed by 0x00 or a restart marker, so both marks below are what they seem.
    """
    scans, before = 1, b""
    file.seek(position)
    while piece := file.read(1 << 20):
        block = before + piece
        end = block.find(b"\xff\xd9")
        scans += block.count(b"\xff\xda", 0, end if end >= 0 else len(block))
        if scans > _MOST_SCANS:
            raise Unfit("it is a JPEG of unusually many scans")
        if end >= 0:
            return position + end + 2
        before = block[-1:] if block.endswith(b"\xff") else b""
        position += len(block) - len(before)
    raise Unfit(DAMAGED)


def _read_webp(file: BinaryIO, size: int) -> Header:
    """Read the canvas from the first chunk."""
    file.seek(0)
    head = file.read(30)
    length = int.from_bytes(head[4:8], "little") + 8
    if len(head) < 30 or length > size:
        raise Unfit(DAMAGED)
    match head[12:16]:
        case b"VP8X":
            if head[20] & 0x02:
                raise Unfit("it is animated")
            width, height = int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = (int.from_bytes(head[i : i + 2], "little") & 0x3FFF for i in (26, 28))
        case _:
            raise Unfit(DAMAGED)
    # libwebp's animation decoder, which Pillow uses for stills too, holds two canvases, and Pillow the pixels as bytes
    # and as a picture. A process of its own (webp_child.py) holds the file twice; we hold it once.
    return Header("image/webp", width, height, ((0, length),), fixed=PROCESS + 3 * length, per_pixel=16)
