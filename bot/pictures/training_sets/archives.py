"""Unpacking a member's ZIP of pictures and captions, whatever is in it.

Every entry is taken, or left out with a reason that its owner understands; only folders and what systems add by
themselves are passed over. Nothing that the archive says is believed: not its sizes, not its names, not how many files
it has. Every read has a limit, and a file is written piece by piece under a name of ours, so memory stays small and no
path comes from outside. `zipfile.ZipFile.read` would unpack a bomb of 1 MB to 2 GB in memory even where the directory
says 1,000 bytes (measured with CPython 3.11), and its directory alone could be the 100 MB that an archive may have.
"""

import contextlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Refused
from bot.pictures.headers import SNIFFED, describe_kind, picture_ending
from bot.pictures.names import Kind, clean, kind_of, name_picture, quoted
from bot.pictures.training_sets.entry_names import HEADER, HEADER_BYTES, decode_names, mend_directory, mend_header
from bot.values import in_millions

MOST_BYTES = 100_000_000  # of an archive
MOST_FILES = 60  # that are of use; what a Mac or Windows adds by itself is not counted
MOST_FILE_BYTES = 20_000_000  # of one, unpacked
MOST_TOTAL_BYTES = 200_000_000  # of all, unpacked

_UNIX = 3  # the system that made an entry: others do not say in its attributes what it is
_PIECE = 64 * 1024
_LARGEST_READ = 1 << 20  # bytes; the directory of 60 files, and of as many that do not count, has some kilobytes
_MOST_ENTRIES = 1000  # of any kind
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile has no limit on what the others make of one read
_MOST_NAMED = 12  # files that one reason names
_AGAIN = "make the ZIP anew and upload that"
_OUT = "take it out of the ZIP"
_STRAIGHT = "put its pictures straight into the ZIP"

# Files and folders that macOS, Windows, Synology, QNAP, Linux desktops, Android, Picasa and Git make by themselves.
_ADDED_BY_SYSTEMS = frozenset(
    {
        *("__macosx", ".ds_store", ".appledouble", ".trashes", ".spotlight-v100", ".fseventsd", ".temporaryitems"),
        *(".documentrevisions-v100", ".localized", ".apdisk", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini"),
        *("ehthumbs_vista.db", "$recycle.bin", "system volume information", "@eadir", "#recycle", "#snapshot"),
        *("@recycle", ".@__thumb", ".thumbnails", ".directory", ".nomedia", ".picasa.ini", ".git"),
    }
)

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
        """Picture or caption."""
        return kind_of(self.name)


@dataclass(frozen=True, slots=True)
class Contents:
    """What came of an archive."""

    files: tuple[Unpacked, ...]
    left_out: tuple[str, ...]
    """Sentences that name the entries that cannot be used, with the reason and what to do."""


class _Unusable(Exception):
    """An entry that is left out: its name, what is wrong with it, and what its owner can do."""

    def __init__(self, own: str, what: str, advice: str) -> None:
        super().__init__(own, what, advice)
        self.own, self.what, self.advice = own, what, advice


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry that is to be unpacked, under this name."""

    info: zipfile.ZipInfo
    name: str


def unpack(path: Path, folder: Path, name: str) -> Contents:
    """Unpack a ZIP's pictures and captions into an empty folder, in the archive's order. `name` is the archive's.

    What is written is deleted again when the archive is refused. It takes a few megabytes of memory. Whether a picture
    is whole is not looked at here.

    Raises:
        Refused: not a whole ZIP of at most 100 MB, with at most 60 files and 200 MB of pictures and captions; an entry
            is named to be written elsewhere on the disk; or there is nothing in it that can be used.
    """
    unpacked: list[Unpacked] = []
    unusable: list[_Unusable] = []
    try:
        with _open_archive(path, name) as archive:
            for number, entry in enumerate(_choose(archive, name, unusable), 1):
                target = Unpacked(entry.name, folder / f"{number:04d}", entry.info.file_size)
                unpacked.append(target)
                try:
                    _extract(archive, entry, target.path)
                except _Unusable as error:
                    target.path.unlink(missing_ok=True)
                    unpacked.remove(target)
                    unusable.append(error)
        left_out = _describe(unusable, name)
        if not unpacked:
            raise Refused(" ".join([f"There is no picture in {quoted(name)} that can be used.", *left_out]))
    except BaseException:
        for each in unpacked:
            each.path.unlink(missing_ok=True)
        raise
    return Contents(tuple(unpacked), tuple(left_out))


class _Bounded(io.FileIO):
    """A file that refuses reads larger than any that a valid archive needs, and positions that no file has."""

    reads_directory = False
    """Whether `zipfile` is reading the directory, which it reads in one piece."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= _LARGEST_READ:
            size = _LARGEST_READ + 1
        content = super().read(size) or b""
        if len(content) > _LARGEST_READ:
            raise zipfile.BadZipFile
        if self.reads_directory:
            return mend_directory(content)
        return mend_header(content) if size == HEADER_BYTES and content.startswith(HEADER) else content

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
                f"{quoted(name)} has {in_millions(size):,.1f} MB, and a ZIP has at most 100 MB: upload fewer pictures."
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
            file.reads_directory = True
            archive = zipfile.ZipFile(file)
            file.reads_directory = False
        except _BAD_ARCHIVE as error:
            raise Refused(f"{quoted(name)} is damaged or cut short: {_AGAIN}.") from error
        yield archive


def _choose(archive: zipfile.ZipFile, name: str, unusable: list[_Unusable]) -> list[_Entry]:
    """The entries to unpack; the others are added to `unusable`.

    Raises:
        Refused: too many of them, too large together, or one is named to be written elsewhere.
    """
    infos = archive.infolist()
    if len(infos) > _MOST_ENTRIES:
        raise Refused(f"{quoted(name)} has {len(infos):,} entries, and the most is {MOST_FILES}: {_AGAIN} with fewer.")
    files: list[tuple[zipfile.ZipInfo, str]] = []
    for info, own in zip(infos, decode_names(infos), strict=True):
        _check_inside(own, name)
        if not _is_passed_over(info, own):
            files.append((info, own))
    if not files:
        raise Refused(f"There is no picture in {quoted(name)}: put JPG, PNG or WebP pictures into it.")
    if len(files) > MOST_FILES:
        raise Refused(f"{quoted(name)} has {len(files)} files, and the most is {MOST_FILES}: {_AGAIN} with fewer.")
    usable: list[_Entry] = []
    for info, own in files:
        try:
            usable.append(_judge(archive, info, own))
        except _Unusable as error:
            unusable.append(error)
    chosen = _without_namesakes(usable, unusable)
    if (total := sum(entry.info.file_size for entry in chosen)) > MOST_TOTAL_BYTES:
        raise Refused(
            f"The files in {quoted(name)} have {in_millions(total):,g} MB when unpacked, and the most is 200 MB: "
            "upload fewer, or smaller, pictures."
        )
    return chosen


def _check_inside(own: str, name: str) -> None:
    """
    Raises:
        Refused: a path leads out of the folder that it is unpacked to. No usual program writes one.
    """
    if ".." in own.split("/") or own.startswith("/") or re.match(r"[A-Za-z]:/", own):
        raise Refused(f"{quoted(own)} in {quoted(name)} is named to be written somewhere else on the disk: {_OUT}.")


def _is_passed_over(info: zipfile.ZipInfo, own: str) -> bool:
    """Whether an entry is an empty folder, or added by a system."""
    parts = own.casefold().split("/")
    added = parts[-1].startswith("._") or not _ADDED_BY_SYSTEMS.isdisjoint(parts)
    return added or (_is_folder(info, own) and not info.file_size)


def _is_folder(info: zipfile.ZipInfo, own: str) -> bool:
    return own.endswith("/") or not own or stat.S_ISDIR(info.external_attr >> 16)


def _judge(archive: zipfile.ZipFile, info: zipfile.ZipInfo, own: str) -> _Entry:
    """Judge an entry by what the archive says of it, and by its first bytes where its name tells nothing.

    Raises:
        _Unusable: it is not to be unpacked.
    """
    if _is_folder(info, own):
        raise _Unusable(own.rstrip("/"), "is named as a folder, and has content", "give it the name of a file")
    if info.create_system == _UNIX and stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
        raise _Unusable(own, "is a link or device, not a file", "put the file itself into the ZIP")
    if info.flag_bits & 0x2041:
        raise _Unusable(own, "is locked with a password", "make the ZIP without one")
    if kind_of(own) is Kind.ARCHIVE:
        raise _Unusable(own, "is an archive itself", _STRAIGHT)
    if info.compress_type not in _METHODS:
        raise _Unusable(own, "is packed in an unusual way", "make the ZIP with what your computer has built in")
    short = clean(own)
    if kind_of(own) is Kind.OTHER:
        start = _read_start(archive, info, own)
        ending = picture_ending(start)
        if ending is None:
            raise _unknown(own, start)
        short = name_picture(own, ending)
    if info.file_size > MOST_FILE_BYTES:
        what = f"has {in_millions(info.file_size):,.1f} MB when unpacked, and the most is 20 MB"
        raise _Unusable(own, what, "make it smaller")
    return _Entry(info, short)


def _unknown(own: str, start: bytes) -> _Unusable:
    """What is said of a file that is neither a picture nor a caption: what it is, where its owner can make a JPEG."""
    what, _, advice = f"is {describe_kind(start)}".partition("; ")
    if not advice:
        what, advice = "is neither a JPG, PNG or WebP picture nor a .txt caption", _OUT
    return _Unusable(own, what, advice)


def _without_namesakes(usable: list[_Entry], unusable: list[_Unusable]) -> list[_Entry]:
    """Entries whose name no other one has. Which of two is meant by a caption of that name, nobody knows."""
    counts = Counter(entry.name.casefold() for entry in usable)
    chosen = [entry for entry in usable if counts[entry.name.casefold()] == 1]
    latest = {entry.name.casefold(): entry.name for entry in usable if counts[entry.name.casefold()] > 1}
    what = "is there twice (upper and lower case are the same, folders do not count)"
    unusable += [_Unusable(own, what, "rename one") for own in latest.values()]
    return chosen


def _read_start(archive: zipfile.ZipFile, info: zipfile.ZipInfo, own: str) -> bytes:
    with _reading(own), archive.open(info) as source:
        return source.read(min(SNIFFED, info.file_size))


def _extract(archive: zipfile.ZipFile, entry: _Entry, path: Path) -> None:
    """Write one entry to a new file. It must have the size that was judged; `zipfile` checks its sum.

    Raises:
        _Unusable: it is damaged, or an archive.
    """
    size = 0
    with _reading(entry.name), archive.open(entry.info) as source, path.open("xb") as file:
        while piece := source.read(_PIECE):
            if not size and (kind := _name_archive(piece)):
                raise _Unusable(entry.name, f"is {kind} archive itself", _STRAIGHT)
            size += len(piece)
            if size > entry.info.file_size:
                raise zipfile.BadZipFile
            file.write(piece)
        if size != entry.info.file_size:
            raise zipfile.BadZipFile


@contextlib.contextmanager
def _reading(own: str) -> Generator[None]:
    """Turn what `zipfile` and zlib raise over a bad entry into one answer."""
    try:
        yield
    except _BAD_ARCHIVE as error:
        raise _Unusable(own, "is damaged or cut short", _AGAIN) from error


def _describe(unusable: Sequence[_Unusable], name: str) -> list[str]:
    """One sentence for each reason, which names the first file, and one more that names the others."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for each in unusable:
        reasons.setdefault((each.what, each.advice), []).append(quoted(each.own))
    sentences: list[str] = []
    for (what, advice), names in reasons.items():
        sentence = f"{names[0]} in {quoted(name)} {what}: {advice}."
        others = names[1 : _MOST_NAMED + 1]
        if more := len(names) - 1 - len(others):
            others.append(f"{more} more")
        sentences.append(f"{sentence} The same goes for {', '.join(others)}." if others else sentence)
    return sentences


def _name_archive(start: bytes) -> str | None:
    """What kind of archive begins like this, if it is one, with its article."""
    if start[257:262] == b"ustar":
        return "a TAR"
    return next((kind for mark, kind in _ARCHIVE_STARTS if start.startswith(mark)), None)
