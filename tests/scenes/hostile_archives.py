"""ZIPs made to do harm, or made badly, and what is to be said of each."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.pictures.test_pictures import MEGABYTE, noise, save

PHOTO = save(noise(64, 48), "JPEG")


def pack_files(**files: bytes) -> bytes:
    """A ZIP of files; `_` in a name is a dot."""
    return zip_entries([(zipfile.ZipInfo(name.replace("_", ".")), content) for name, content in files.items()])


def zip_entries(files: list[tuple[zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as target:
        for info, content in files:
            target.writestr(info, content, compress_type=method)
    return archive.getvalue()


def named(*names: str) -> bytes:
    return zip_entries([(zipfile.ZipInfo(name), PHOTO) for name in names])


def with_mode(name: str, mode: int) -> bytes:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return zip_entries([(info, b"/etc/passwd")])


def handmade(
    name: bytes,
    body: bytes,
    *,
    size: int,
    method: int = 8,
    flags: int = 0,
    crc: int = 0,
    local_name: bytes | None = None,
    times: int = 1,
    offset: int = 0,
    count: int | None = None,
    disk: int = 0,
) -> bytes:
    """A ZIP of one entry that says of itself what it is told to; its directory names it `times` times."""
    about = struct.pack("<HHHHIIIHH", flags, method, 0, 33, crc, len(body), size & 0xFFFFFFFF, len(name), 0)
    local = b"PK\x03\x04" + struct.pack("<H", 20) + about + (local_name or name) + body
    entry = b"PK\x01\x02" + struct.pack("<HH", 20, 20) + about + struct.pack("<HHHII", 0, 0, 0, 0, offset) + name
    directory = entry * times
    entries = times if count is None else count
    fields = (disk, 0, entries & 0xFFFF, entries & 0xFFFF, len(directory), len(local), 0)
    return local + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", *fields)


def stored(
    name: bytes,
    content: bytes = PHOTO,
    *,
    flags: int = 0,
    extra: bytes = b"",
    method: int = 0,
    crc: int | None = None,
    needs: int = 20,
    create_system: int = 3,
    mode: int = 0o100644,
) -> tuple[bytes, bytes]:
    """An entry whose name is any bytes, and its line in the directory, for `joined`."""
    crc = zlib.crc32(content) if crc is None else crc
    about = struct.pack("<HHHHIIIHH", flags, method, 0, 33, crc, len(content), len(content), len(name), 0)
    local = b"PK\x03\x04" + struct.pack("<H", 20) + about + name + content
    about = about[:-2] + struct.pack("<H", len(extra))
    line = b"PK\x01\x02" + struct.pack("<BBH", 20, create_system, needs) + about
    return local, line + struct.pack("<HHHII", 0, 0, 0, mode << 16, 0) + name + extra


def join_archives(*parts: bytes | tuple[bytes, bytes]) -> bytes:
    """One ZIP of entries (`stored`) and of whole ZIPs."""
    files, directory, count = bytearray(), bytearray(), 0
    for part in parts:
        if isinstance(part, bytes):
            total, size, start = struct.unpack_from("<HII", part, part.rindex(b"PK\x05\x06") + 10)
            local, lines = part[:start], part[start : start + size]
            count += total
        else:
            local, lines = part
            count += 1
        at = 0
        while at < len(lines):
            name, extra, comment, offset = struct.unpack_from("<28xHHH8xI", lines, at)
            end = at + 46 + name + extra + comment
            directory += lines[at : at + 42] + struct.pack("<I", offset + len(files)) + lines[at + 46 : end]
            at = end
        files += local
    fields = (0, 0, count, count, len(directory), len(files), 0)
    return bytes(files + directory) + b"PK\x05\x06" + struct.pack("<HHHHIIH", *fields)


def deflated(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(MEGABYTE)
    return b"".join([*(packer.compress(zeros) for _ in range(megabytes)), packer.flush()])


def numbered(count: int, size: int = 10) -> bytes:
    return zip_entries([(zipfile.ZipInfo(f"{number}.jpg"), bytes(size)) for number in range(count)])


def with_zip64_size(size: int) -> bytes:
    """An entry whose directory gives its size in the extra field of large files."""
    content = bytearray(zip_entries([(zipfile.ZipInfo("a.jpg"), PHOTO)], zipfile.ZIP_STORED))
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = b"\xff" * 4
    content[entry + 30 : entry + 32] = struct.pack("<H", 12)
    at = entry + 46 + len("a.jpg")
    content[at:at] = struct.pack("<HHQ", 1, 8, size)
    end = content.index(b"PK\x05\x06")
    (length,) = struct.unpack("<I", content[end + 12 : end + 16])
    content[end + 12 : end + 16] = struct.pack("<I", length + 12)
    return bytes(content)


def flip_bit(content: bytes, mark: bytes, ahead: int) -> bytes:
    changed = bytearray(content)
    changed[content.index(mark) + ahead] ^= 1
    return bytes(changed)


def encrypted(name: str = "a.jpg") -> bytes:
    content = bytearray(named(name))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def tar() -> bytes:
    return b"cat.jpg".ljust(257, b"\0") + b"ustar\x0000" + bytes(1000)


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty file": (lambda: b"", "“set.zip” is empty"),
    "text": (lambda: b"just words " * 50, "“set.zip” is not a ZIP archive, and only ZIP is understood"),
    "a picture": (lambda: PHOTO, "is not a ZIP archive"),
    "RAR": (lambda: b"Rar!\x1a\x07\x01\0" + bytes(500), "“set.zip” is a RAR archive, and only ZIP is understood"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(500), "is a 7z archive"),
    "tar": (tar, "is a TAR archive"),
    "program with a ZIP behind it": (lambda: b"MZ" + bytes(500) + named("a.jpg"), "is not a ZIP archive"),
    "cut short": (lambda: named("a.jpg", "b.jpg")[:-40], "“set.zip” is damaged or cut short"),
    "only the beginning": (lambda: named("a.jpg")[:40], "“set.zip” is damaged or cut short"),
    "no files": (lambda: zip_entries([]), "There is no picture in “set.zip”"),
    "only a system's files": (lambda: named("__MACOSX/._a.jpg", ".DS_Store", "Thumbs.db", "x/"), "There is no picture"),
    "61 files": (lambda: numbered(61), "“set.zip” has 61 files, and the most is 60"),
    "1,500 files": (lambda: numbered(1500), "“set.zip” has 1,500 entries"),
    "100 MB of directory": (
        lambda: handmade(b"a.jpg", b"", size=0, times=1_950_000, count=1),
        "“set.zip” is damaged",
    ),
    "19 files of 11 MB": (lambda: numbered(19, 11 * MEGABYTE), "files in “set.zip” have 209 MB when unpacked"),
    "bomb": (
        lambda: handmade(b"cat.jpg", deflated(400), size=400 * MEGABYTE),
        "“cat.jpg” in “set.zip” has 400.0 MB when unpacked",
    ),
    "bomb that claims 1,000 bytes": (
        lambda: handmade(b"cat.jpg", deflated(400), size=1000),
        "“cat.jpg” in “set.zip” is damaged",
    ),
    "file that claims 19 MB and has 1": (
        lambda: handmade(b"cat.jpg", deflated(1), size=19 * MEGABYTE, crc=zlib.crc32(bytes(MEGABYTE))),
        "“cat.jpg” in “set.zip” is damaged",
    ),
    "20.1 MB": (lambda: pack_files(cat_jpg=bytes(20_100_000)), "“cat.jpg” in “set.zip” has 20.1 MB"),
    "ZIP64 of 2^63 bytes": (lambda: with_zip64_size(1 << 63), "“a.jpg” in “set.zip” has"),
    "ZIP64 of 2^64 - 1 bytes": (lambda: with_zip64_size((1 << 64) - 1), "“a.jpg” in “set.zip” has"),
    "one file 50 times": (
        lambda: handmade(b"cat.jpg", PHOTO, size=len(PHOTO), method=0, times=50),
        "“cat.jpg” in “set.zip” is there twice",
    ),
    "another name in front of the file": (
        lambda: handmade(b"cat.jpg", PHOTO, size=len(PHOTO), method=0, local_name=b"dog.jpg"),
        "“cat.jpg” in “set.zip” is damaged",
    ),
    "file far behind the end": (
        lambda: handmade(b"cat.jpg", PHOTO, size=len(PHOTO), method=0, offset=1 << 31),
        "“cat.jpg” in “set.zip” is damaged",
    ),
    "second disk": (lambda: handmade(b"cat.jpg", PHOTO, size=len(PHOTO), disk=3), "“set.zip” is damaged"),
    "wrong sum": (lambda: flip_bit(named("a.jpg"), b"a.jpg", 60), "“a.jpg” in “set.zip” is damaged"),
    "up and away": (lambda: named("ok.jpg", "../../x.jpg"), "“x.jpg” in “set.zip” is named to be written somewhere"),
    "up with backslashes": (lambda: named("..\\..\\x.jpg"), "“x.jpg” in “set.zip” is named to be written somewhere"),
    "hidden up": (lambda: named(".a/../../x.jpg"), "“x.jpg” in “set.zip” is named to be written somewhere"),
    "absolute": (lambda: named("/etc/x.jpg"), "“x.jpg” in “set.zip” is named to be written somewhere"),
    "on drive C": (lambda: named("C:\\x.jpg"), "“x.jpg” in “set.zip” is named to be written somewhere"),
    "symbolic link": (lambda: with_mode("x.jpg", stat.S_IFLNK | 0o777), "“x.jpg” in “set.zip” is a link or device"),
    "device": (lambda: with_mode("x.jpg", stat.S_IFCHR | 0o666), "“x.jpg” in “set.zip” is a link or device"),
    "pipe": (lambda: with_mode("x.jpg", stat.S_IFIFO | 0o666), "“x.jpg” in “set.zip” is a link or device"),
    "locked": (encrypted, "“a.jpg” in “set.zip” is locked with a password"),
    "strongly locked": (
        lambda: handmade(b"cat.jpg", PHOTO, size=len(PHOTO), flags=0x41),
        "“cat.jpg” in “set.zip” is locked with a password",
    ),
    "ZIP in it": (lambda: pack_files(more_zip=named("a.jpg")), "“more.zip” in “set.zip” is an archive itself"),
    "ZIP called a picture": (lambda: pack_files(a_jpg=named("a.jpg")), "“a.jpg” in “set.zip” is a ZIP archive itself"),
    "RAR called a picture": (
        lambda: pack_files(a_jpg=b"Rar!\x1a\x07\0..."),
        "“a.jpg” in “set.zip” is a RAR archive itself",
    ),
    "7z called a caption": (lambda: pack_files(a_txt=b"7z\xbc\xaf\x27\x1c..."), "“a.txt” in “set.zip” is a 7z archive"),
    "gzip called a caption": (lambda: pack_files(a_txt=b"\x1f\x8b\x08..."), "“a.txt” in “set.zip” is a gzip archive"),
    "tar called a picture": (lambda: pack_files(a_png=tar()), "“a.png” in “set.zip” is a TAR archive itself"),
    "program": (
        lambda: pack_files(a_exe=b"MZ"),
        "“a.exe” in “set.zip” is neither a JPG, PNG or WebP picture nor a .txt",
    ),
    "HEIC": (lambda: pack_files(a_heic=b"..."), "“a.heic” in “set.zip” is neither"),
    "disguised program": (lambda: pack_files(**{"cat\u202egpj_exe": b"MZ"}), "“catgpj.exe” in “set.zip” is neither"),
    "control characters": (lambda: pack_files(**{"a\x1b[2J\r\nb_exe": b"MZ"}), "“a[2J b.exe” in “set.zip” is neither"),
    "long name": (lambda: pack_files(**{"x" * 5000 + "_exe": b"MZ"}), f"“{'x' * 35}….exe” in “set.zip” is neither"),
    "no name": (lambda: handmade(b"", PHOTO, size=len(PHOTO), method=0), "There is no picture in “set.zip”"),
    "name that is not UTF-8": (
        lambda: handmade(b"\xff\xfe.jpg", PHOTO, size=len(PHOTO), method=0, flags=0x800),
        "“set.zip” is damaged",
    ),
    "twice, by case": (lambda: named("Cat.JPG", "cat.jpg"), "“cat.jpg” in “set.zip” is there twice"),
    "twice, by folder": (lambda: named("a/cat.jpg", "b/cat.jpg"), "“cat.jpg” in “set.zip” is there twice"),
    "twice, by accent": (lambda: named("\u00e9.jpg", "e\u0301.jpg"), "“é.jpg” in “set.zip” is there twice"),
    "61 long names in a code page": (
        lambda: join_archives(*(stored(b"%d" % number + "表".encode("cp932") * 8000, b"MZ") for number in range(61))),
        "“set.zip” has 61 files",
    ),
    "60 names that end nowhere": (
        lambda: (
            join_archives(*(stored(b"%d\x95" % number, extra=b"\x01\0\xff\xff") for number in range(60)))
            + bytes(70_000)
        ),
        "“set.zip” is damaged",
    ),
    "bzip2": (
        lambda: zip_entries([(zipfile.ZipInfo("a.jpg"), bytes(MEGABYTE))], zipfile.ZIP_BZIP2),
        "“a.jpg” in “set.zip” is packed in an unusual way",
    ),
    "LZMA": (
        lambda: zip_entries([(zipfile.ZipInfo("a.jpg"), bytes(MEGABYTE))], zipfile.ZIP_LZMA),
        "“a.jpg” in “set.zip” is packed in an unusual way",
    ),
    "Deflate64": (lambda: handmade(b"a.jpg", PHOTO, size=1, method=9), "“a.jpg” in “set.zip” is packed in an unusual"),
}
