"""The names in the directory of a ZIP that strangers made.

The ZIP format knows code page 437 and, with a flag, UTF-8 (APPNOTE.TXT 6.3.10, 2022, appendix D). Windows writes the
code page of its country instead, macOS writes UTF-8 without the flag, and some programs set the flag on other text. So
the bytes decide, and for names in a national code page all names of the archive together.
"""

import contextlib
import io
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_ENTRY: Final = b"PK\x01\x02"
_ENTRY_BYTES: Final = 46  # of a directory entry before its name
HEADER_BYTES: Final = 30  # in front of an entry, before its name
HEADER: Final = b"PK\x03\x04"
_UTF8_FLAG: Final = 0x800
_WAS_UTF8: Final = 0x8000  # where `mend_directory` moves that flag; the bit is reserved, and `zipfile` ignores it
_UNICODE_PATH: Final = 0x7075  # an extra field (APPNOTE.TXT 4.6.9)
_ZIP64: Final = 1  # an extra field (APPNOTE.TXT 4.5.3): 8 bytes for each size or offset that does not fit into 4
_ENOUGH: Final = 2000  # characters that are looked at to guess a code page

_LATIN: Final = "éèàáâäãåæçêëíîïñóôöøúüß"
_CYRILLIC: Final = "оеаинтсрвлкмдпуяк"
_JAPANESE: Final = "のんいしたなるとにでをはがてかスルトンイアラリクーッ日本人写真画像新猫犬鳥梟花子"
# Code pages, each with letters that are frequent in it. Where two fit the names equally well the first one counts.
_CODE_PAGES: Final = {
    "cp437": _LATIN,
    "cp850": _LATIN,
    "cp932": _JAPANESE,
    "cp866": _CYRILLIC,
    "gb18030": "的一是不了在有我他这中大来上国图片照文件夹新建副本复制猫狗画像人物小白黑红",
    "cp949": "이다는에가고사진복본새폴더의을를은한그림고양아지인나기자리개",
    "big5": "的一是不了在有我他這中大來上國圖片照文件夾新建副本複製貓狗畫像人物小白黑紅",
    "euc_jp": _JAPANESE,
    "cp1252": _LATIN,
    "cp1251": _CYRILLIC,
}
# The lead bytes of a double-byte code page that its frequent characters have.
_FREQUENT_LEADS: Final = {
    "cp932": range(0x88, 0x98),
    "gb18030": range(0xB0, 0xD8),
    "cp949": range(0xB0, 0xC9),
    "big5": range(0xA4, 0xC7),
    "euc_jp": range(0xB0, 0xD0),
}


def mend_directory(directory: bytes) -> bytes:
    """Make a ZIP's directory one that `zipfile` reads to its end, and that gives each name as its bytes.

    Without the UTF-8 flag `zipfile` decodes names as code page 437, which has a character for every byte. With it, one
    name that is no UTF-8 makes the whole archive unreadable; so do one extra field of a false length, and one entry
    that says it needs a program of the future.
    """
    mended, at = bytearray(directory), 0
    while directory[at : at + 4] == _ENTRY and at + _ENTRY_BYTES <= len(directory):
        flags, packed, size, name, extra, comment, offset = struct.unpack_from("<8xH10xIIHHH8xI", directory, at)
        moved = _WAS_UTF8 if flags & _UTF8_FLAG else 0
        struct.pack_into("<HH", mended, at + 6, 20, flags & ~(_UTF8_FLAG | _WAS_UTF8) | moved)
        field, end = at + _ENTRY_BYTES + name, min(at + _ENTRY_BYTES + name + extra, len(directory))
        while field + 4 <= end:
            kind, length = struct.unpack_from("<HH", directory, field)
            too_short = kind == _ZIP64 and length < 8 * (packed, size, offset).count(0xFFFFFFFF)
            if field + 4 + length > end or too_short:
                mended[field:end] = bytes(end - field)
            field += 4 + length
        at += _ENTRY_BYTES + name + extra + comment
    return bytes(mended)


def mend_header(header: bytes) -> bytes:
    """Take the UTF-8 flag from the 30 bytes in front of an entry: `zipfile` compares the name there too."""
    (flags,) = struct.unpack_from("<H", header, 6)
    return header[:6] + struct.pack("<H", flags & ~_UTF8_FLAG) + header[8:]


def decode_names(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Decode the paths of the entries of an archive whose directory `mend_directory` has mended."""
    raw = [entry.orig_filename.encode("cp437") for entry in entries]
    names = [_read_unicode(entry, each) for entry, each in zip(entries, raw, strict=True)]
    national = [each for each, name in zip(raw, names, strict=True) if name is None]
    code_page = _guess_code_page(b"\n".join(national))
    decoded = [each.decode(code_page) if name is None else name for each, name in zip(raw, names, strict=True)]
    return [name.replace("\\", "/") for name in decoded]


def _read_unicode(entry: zipfile.ZipInfo, raw: bytes) -> str | None:
    """The name where it is Unicode; None where it is in a code page."""
    if path := _read_unicode_path(entry, raw):
        return path
    name = _decode(raw, "utf-8")
    # Two bytes of a code page may be one letter of UTF-8 too, but of another alphabet each time: 猫头鹰 is èͷӥ.
    mixed = name is not None and _mixes_alphabets(name)
    return None if mixed and not entry.flag_bits & _WAS_UTF8 else name


def _mixes_alphabets(name: str) -> bool:
    """Whether letters of different alphabets stand side by side, of those that UTF-8 has two bytes for."""
    return any(
        min(pair) >= "\x80"
        and max(pair) < "\u0800"
        and len({unicodedata.name(letter, "?").partition(" ")[0] for letter in pair}) > 1
        for pair in pairwise(name[:_ENOUGH])
    )


def _read_unicode_path(entry: zipfile.ZipInfo, raw: bytes) -> str | None:
    """The name in an extra field of Info-ZIP, where it is the name of this entry: its sum says so."""
    extra = io.BytesIO(entry.extra)
    while len(head := extra.read(4)) == 4:
        kind, length = struct.unpack("<HH", head)
        content = extra.read(length)
        if kind == _UNICODE_PATH and content[:1] == b"\1" and content[1:5] == struct.pack("<I", zlib.crc32(raw)):
            return _decode(content[5:], "utf-8")
    return None


def _guess_code_page(names: bytes) -> str:
    return max(_CODE_PAGES, key=lambda code_page: _judge_code_page(code_page, names))


def _judge_code_page(code_page: str, names: bytes) -> float:
    """How much like names these bytes read in a code page: from 0, or less where they are no text in it."""
    text = _decode(names, code_page)
    if text is None:
        return -1.0
    letters = [
        _weigh(letter, text[max(0, position - 1) : position], text[position + 1 : position + 2], code_page)
        for position, letter in enumerate(text[:_ENOUGH])
        if not letter.isascii()
    ]
    return sum(letters) / max(1, len(letters))


def _weigh(letter: str, before: str, after: str, code_page: str) -> float:
    """How likely a letter is in a name in this code page, between its neighbours: from 0 to 1."""
    frequent = letter.lower() in _CODE_PAGES[code_page]
    if leads := _FREQUENT_LEADS.get(code_page):
        kana = "\u3041" <= letter <= "\u30ff" and code_page in {"cp932", "euc_jp"}
        return 1.0 if frequent else 0.95 if kana else 0.8 if letter.encode(code_page)[0] in leads else 0.3
    alphabet = "CYRILLIC" if code_page in {"cp866", "cp1251"} else "LATIN"
    if not letter.isalpha() or not unicodedata.name(letter, "").startswith(alphabet):
        return 0.0
    split = (
        after == "\\" or (letter.islower() and after.isupper()) or (before.islower() and letter.isupper())
    )  # the second byte of a character, more likely
    ascii_beside = any(each.isascii() and each.isalpha() for each in (before, after))
    # A Cyrillic letter has no Latin one beside it, and an accented letter seldom another accented one.
    misplaced = ascii_beside if alphabet == "CYRILLIC" else not (before.isascii() or after.isascii())
    if split or misplaced:
        return 0.1
    return 0.9 if frequent else 0.2 if alphabet == "CYRILLIC" and letter.isupper() else 0.5


def _decode(raw: bytes, encoding: str) -> str | None:
    with contextlib.suppress(UnicodeDecodeError):
        return raw.decode(encoding)
    return None
