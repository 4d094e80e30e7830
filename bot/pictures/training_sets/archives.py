"""Unpacking a member's ZIP of pictures and captions, whatever is in it.

Nothing that the archive says is believed: not its sizes, not its names, not how many files it has. Every read has a
limit, and a file is written piece by piece under a name of ours, so memory stays small and no path comes from outside.
`zipfile.ZipFile.read` would unpack a bomb of 1 MB to 2 GB in memory even where the directory says 1,000 bytes
(measured with CPython 3.11), and its directory alone could be the 100 MB that an archive may have.
"""

import contextlib
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Refused
from bot.pictures.names import Kind, clean, kind_of, quoted

MOST_BYTES = 100_000_000  # of an archive
MOST_FILES = 60  # that are of use; what a Mac or Windows adds by itself is not counted
MOST_FILE_BYTES = 20_000_000  # of one, unpacked
MOST_TOTAL_BYTES = 200_000_000  # of all, unpacked

_PIECE = 64 * 1024
_LARGEST_READ = 1 << 20  # bytes; the directory of 60 files, and of as many that do not count, has some kilobytes
_MOST_ENTRIES = 1000  # of any kind
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile has no limit on what the others make of one read
_ADDED_BY_SYSTEMS = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_AGAIN = "make the ZIP anew and upload that"

# What zipfile and zlib raise over a bad archive. An OSError is the disk's.
_BAD_ARCHIVE = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    OverflowError,
    EOFError,
    struct.error,
    zlib.error,
)

_ARCHIVE_STARTS = (
    (b"PK\x03\x04", "a ZIP"),
    (b"PK\x05\x06", "a ZIP"),
    (b"PK\x07\x08", "a ZIP"),
    (b"PK00", "a ZIP"),
    (b"Rar!\x1a\x07", "a RAR"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z"),
    (b"\x1f\x8b", "a gzip"),
    (b"BZh", "a bzip2"),
    (b"\xfd7zXZ\0", "an xz"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard"),
)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """One file out of an archive."""

    name: str
    """Its own, cleaned, without folders; unlike any other of the archive whatever the case of its letters."""
    path: Path
    """Where it lies now, under a name of ours."""
    size: int
    """Bytes."""

    @property
    def kind(self) -> Kind:
        """Picture or caption, going by its name."""
        return kind_of(self.name)


def unpack(path: Path, folder: Path, name: str) -> list[Unpacked]:
    """Unpack a ZIP's pictures and captions into an empty folder, in the archive's order. `name` is the archive's.

    Folders, hidden files and what systems add by themselves are left out. What is written is deleted again when the
    archive is refused. It takes a few megabytes of memory. Whether a picture is one is not looked at here.

    Raises:
        Refused: not a whole ZIP of at most 100 MB, with at most 60 files of at most 20 MB each and 200 MB together; or
            a file in it is no picture or caption, an archive, a link, locked, twice there, or named to lie elsewhere.
    """
    unpacked: list[Unpacked] = []
    try:
        with _open_archive(path, name) as archive:
            for number, (info, own) in enumerate(_choose(archive, name), 1):
                target = folder / f"{number:04d}"
                unpacked.append(Unpacked(own, target, info.file_size))
                _extract(archive, info, unpacked[-1], name)
    except BaseException:
        for each in unpacked:
            each.path.unlink(missing_ok=True)
        raise
    return unpacked


class _Bounded(io.FileIO):
    """A file that refuses reads larger than any that an honest archive needs, and positions that no file has."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= _LARGEST_READ:
            size = _LARGEST_READ + 1
        content = super().read(size) or b""
        if len(content) > _LARGEST_READ:
            raise zipfile.BadZipFile
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_SET and not 0 <= offset < 1 << 62:
            raise zipfile.BadZipFile
        return super().seek(offset, whence)


@contextlib.contextmanager
def _open_archive(path: Path, name: str) -> Generator[zipfile.ZipFile]:
    with _Bounded(path) as file:
        size = file.seek(0, io.SEEK_END)
        if size > MOST_BYTES:
            raise Refused(
                f"{quoted(name)} has {size / 1e6:,.1f} MB, and a ZIP has at most 100 MB: upload fewer pictures."
            )
        file.seek(0)
        start = file.read(512)
        if not start:
            raise Refused(f"{quoted(name)} is empty: {_AGAIN}.")
        kind = _name_archive(start)
        if kind != "a ZIP":
            what = f"is {kind} archive" if kind else "is not a ZIP archive"
            raise Refused(
                f"{quoted(name)} {what}, and only ZIP is understood: upload a ZIP, or the pictures themselves."
            )
        try:
            archive = zipfile.ZipFile(file)
        except _BAD_ARCHIVE as error:
            raise Refused(f"{quoted(name)} is damaged or cut short: {_AGAIN}.") from error
        yield archive


def _choose(archive: zipfile.ZipFile, name: str) -> list[tuple[zipfile.ZipInfo, str]]:
    """What is to be unpacked, each with its cleaned name; everything is judged before the first byte is unpacked."""
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise Refused(
            f"{quoted(name)} has {len(entries):,} entries, and the most is {MOST_FILES}: {_AGAIN} with fewer."
        )
    kept = [(info, _decode_name(info)) for info in entries]
    kept = [(info, own) for info, own in kept if not _is_beside_the_point(info, own, name)]
    if not kept:
        raise Refused(f"There is no picture in {quoted(name)}: put JPG, PNG or WebP pictures into it.")
    if len(kept) > MOST_FILES:
        raise Refused(f"{quoted(name)} has {len(kept)} files, and the most is {MOST_FILES}: {_AGAIN} with fewer.")
    chosen: list[tuple[zipfile.ZipInfo, str]] = []
    names: set[str] = set()
    for info, own in kept:
        short = clean(own)
        if short.casefold() in names:
            raise _refusal(
                own, name, "is there twice (upper and lower case are the same, folders do not count)", "rename one"
            )
        names.add(short.casefold())
        _judge(info, own, name)
        chosen.append((info, short))
    if (total := sum(info.file_size for info, _ in chosen)) > MOST_TOTAL_BYTES:
        raise Refused(
            f"The files in {quoted(name)} have {total / 1e6:,.0f} MB when unpacked, and the most is 200 MB: "
            "upload fewer, or smaller, pictures."
        )
    return chosen


def _decode_name(info: zipfile.ZipInfo) -> str:
    """An entry's path. Many programs write UTF-8 without saying so, and `zipfile` then takes it for code page 437."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _is_beside_the_point(info: zipfile.ZipInfo, own: str, name: str) -> bool:
    """Whether an entry is a folder, hidden, or added by a system.

    Raises:
        Refused: its name leads out of the folder that it is unpacked to.
    """
    parts = own.split("/")
    if ".." in parts or own.startswith("/") or own[1:2] == ":":
        raise _refusal(own, name, "is named to be written somewhere else on the disk", "take it out of the ZIP")
    if not parts[-1] or stat.S_ISDIR(info.external_attr >> 16):
        return True
    return any(part.lower() in _ADDED_BY_SYSTEMS or (part.startswith(".") and part != ".") for part in parts)


def _judge(info: zipfile.ZipInfo, own: str, name: str) -> None:
    """
    Raises:
        Refused: an entry that is not to be unpacked, going by what the archive says of it.
    """
    out = "take it out of the ZIP"
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
        raise _refusal(own, name, "is a link or device, not a file", "put the file itself into the ZIP")
    if info.flag_bits & 0x2041:
        raise _refusal(own, name, "is locked with a password", "make the ZIP without one")
    match kind_of(own):
        case Kind.ARCHIVE:
            raise _refusal(own, name, "is an archive itself", "put its pictures straight into the ZIP")
        case Kind.OTHER:
            raise _refusal(own, name, "is neither a JPG, PNG or WebP picture nor a .txt caption", out)
        case Kind.PICTURE | Kind.CAPTION:
            pass
    if info.compress_type not in _METHODS:
        raise _refusal(own, name, "is packed in an unusual way", "make the ZIP with what your computer has built in")
    if info.file_size > MOST_FILE_BYTES:
        what = f"has {info.file_size / 1e6:,.1f} MB when unpacked, and the most is 20 MB"
        raise _refusal(own, name, what, "make it smaller")


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, to: Unpacked, name: str) -> None:
    """Write one entry to a new file. It must have the size that was judged; `zipfile` checks its sum."""
    size = 0
    try:
        with archive.open(info) as source, to.path.open("xb") as file:
            while piece := source.read(_PIECE):
                if not size and (kind := _name_archive(piece)):
                    raise _refusal(to.name, name, f"is {kind} archive itself", "put its pictures straight into the ZIP")
                size += len(piece)
                if size > to.size:
                    raise zipfile.BadZipFile
                file.write(piece)
        if size != to.size:
            raise zipfile.BadZipFile
    except _BAD_ARCHIVE as error:
        raise _refusal(to.name, name, "is damaged or cut short", _AGAIN) from error


def _name_archive(start: bytes) -> str | None:
    """What kind of archive begins like this, if it is one, with its article."""
    if start[257:262] == b"ustar":
        return "a TAR"
    return next((kind for mark, kind in _ARCHIVE_STARTS if start.startswith(mark)), None)


def _refusal(own: str, name: str, what: str, advice: str) -> Refused:
    return Refused(f"{quoted(own)} in {quoted(name)} {what}: {advice}.")
