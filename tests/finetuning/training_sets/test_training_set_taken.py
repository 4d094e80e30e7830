"""ZIPs and pictures that are meant well, of every system: each entry is taken, or named with what to do."""

import io
import random
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from bot.errors import Refused
from bot.pictures.names import match_captions
from bot.pictures.training_sets.archives import Contents, unpack
from bot.pictures.training_sets.preparing import check_file, prepare_training_picture
from tests.pictures.test_pictures import animated, chunk, load, noise, png, save, with_chunk
from tests.scenes.hostile_archives import (
    PHOTO,
    encrypted,
    join_archives,
    named,
    pack_files,
    stored,
    with_mode,
    zip_entries,
)


def taken(folder: Path, content: bytes) -> Contents:
    path, into = folder / "upload", folder / "unpacked"
    path.write_bytes(content)
    into.mkdir()
    contents = unpack(path, into, "set.zip")
    assert sorted(into.iterdir()) == sorted(each.path for each in contents.files), "nothing else is left on the disk"
    return contents


def names(contents: Contents) -> list[str]:
    return [each.name for each in contents.files]


# Names.

NAMES = {
    "cp932": ["表.jpg", "ソ.jpg", "能登の猫.jpg", "ふくろう.jpg", "梟.jpg", "写真 (1).jpg"],
    "gb18030": ["猫头鹰.jpg", "照片1.jpg", "新建文件夹.jpg", "表.jpg"],
    "big5": ["功.jpg", "貓頭鷹.jpg", "許功蓋.jpg"],
    "cp949": ["부엉이.jpg", "사진 1.jpg"],
    "euc_jp": ["写真.jpg", "フクロウ.jpg"],
    "cp437": ["Kätzchen.jpg", "été.jpg"],
    "cp850": ["coração.jpg"],
    "cp866": ["кот.jpg", "Белая сова 1.jpg", "ТЕСТ.jpg"],
    "cp1251": ["кот.jpg", "Сова.jpg"],
    "latin-1": ["Kätzchen.jpg", "été.jpg", "señor.jpg"],
    "utf-8": ["猫.jpg", "кот.jpg", "Kätzchen.jpg"],
}


@pytest.mark.parametrize(
    ("encoding", "name"), [(encoding, name) for encoding, names in NAMES.items() for name in names]
)
def test_a_name_in_any_code_page_is_read(tmp_path: Path, encoding: str, name: str) -> None:
    content = join_archives(stored(name.encode(encoding)), stored(f"{name[:-4]}.txt".encode(encoding), b"an owl"))

    contents = taken(tmp_path, content)

    assert names(contents) == [name, f"{name[:-4]}.txt"]
    assert contents.files[0].path.read_bytes() == PHOTO
    assert contents.left_out == ()


def test_a_folder_in_a_code_page_with_a_backslash_in_it_is_no_two_folders(tmp_path: Path) -> None:
    raw = "予定表\\表.jpg".encode("cp932")

    assert names(taken(tmp_path, join_archives(stored(raw), stored("予定表\\".encode("cp932"), b"")))) == ["表.jpg"]


def test_the_unicode_path_of_info_zip_counts_if_it_is_that_of_this_name(tmp_path: Path) -> None:
    def extra(of: bytes, name: str) -> bytes:
        content = b"\1" + struct.pack("<I", zlib.crc32(of)) + name.encode()
        return struct.pack("<HH", 0x7075, len(content)) + content

    content = join_archives(
        stored(b"_1.jpg", extra=extra(b"_1.jpg", "猫.jpg")), stored(b"_2.jpg", extra=extra(b"other.jpg", "犬.jpg"))
    )

    assert names(taken(tmp_path, content)) == ["猫.jpg", "_2.jpg"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(stored("猫.jpg".encode("cp932"), flags=0x800), id="another code page that is said to be UTF-8"),
        pytest.param(stored("猫.jpg".encode(), extra=b"\x99\x99\xff\x7f"), id="extra field of a false length"),
        pytest.param(stored("猫.jpg".encode(), needs=99), id="says it needs a newer program"),
        pytest.param(stored("猫.jpg".encode(), create_system=0, mode=0o120777), id="attributes of another system"),
    ],
)
def test_an_odd_entry_of_the_directory_spoils_nothing(tmp_path: Path, bad: tuple[bytes, bytes]) -> None:
    contents = taken(tmp_path, join_archives(stored(b"a.jpg"), bad, stored(b"b.jpg")))

    assert names(contents) == ["a.jpg", "猫.jpg", "b.jpg"]


def test_names_of_a_mac_find_their_captions(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Käuzchen é.jpg")

    contents = taken(tmp_path, named(decomposed, "1:3.jpg", "Käuzchen é.txt"))

    assert names(contents) == ["Käuzchen é.jpg", "1:3.jpg", "Käuzchen é.txt"]
    assert match_captions(names(contents)).pictures == ((0, 2), (1, None))


def test_what_systems_add_is_passed_over(tmp_path: Path) -> None:
    added = [
        *("@eaDir/owl.jpg/SYNOFILE_THUMB_M.jpg", "set/@eaDir/owl.jpg@SynoEAStream", "__MACOSX/._owl.jpg", "._owl.jpg"),
        *(".AppleDouble/owl.jpg", ".Trashes/501/owl.jpg", "#recycle/old.jpg", "$RECYCLE.BIN/$R1.jpg", "Desktop.ini"),
        *("set/Thumbs.db", ".DS_Store", ".thumbnails/1.jpg", "set\\.@__thumb\\owl.jpg", "Icon\r"),
    ]

    contents = taken(tmp_path, named("set/owl.jpg", *added))

    assert names(contents) == ["owl.jpg"]
    assert contents.left_out == ()


def test_a_hidden_picture_of_the_member_is_taken(tmp_path: Path) -> None:
    assert names(taken(tmp_path, named(".owl.jpg", ".private/cat.jpg"))) == [".owl.jpg", "cat.jpg"]


def test_windows_tools_write_backslashes(tmp_path: Path) -> None:
    assert names(taken(tmp_path, named("set\\owl.jpg", "set\\more\\cat.jpg"))) == ["owl.jpg", "cat.jpg"]


# Each entry is taken or named, and none spoils the others.


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        pytest.param(encrypted("bad.jpg"), "“bad.jpg” in “set.zip” is locked with a password", id="locked"),
        pytest.param(
            zip_entries([(zipfile.ZipInfo("bad.jpg"), PHOTO)], zipfile.ZIP_LZMA),
            "is packed in an unusual way",
            id="LZMA",
        ),
        pytest.param(
            zip_entries([(zipfile.ZipInfo("bad.jpg"), PHOTO)], zipfile.ZIP_BZIP2),
            "is packed in an unusual way",
            id="bzip2",
        ),
        pytest.param(stored(b"bad.jpg", method=9), "is packed in an unusual way", id="Deflate64"),
        pytest.param(stored(b"bad.jpg", crc=1), "“bad.jpg” in “set.zip” is damaged", id="wrong sum"),
        pytest.param(with_mode("bad.jpg", 0o120777), "“bad.jpg” in “set.zip” is a link", id="link"),
        pytest.param(pack_files(bad_zip=named("a.jpg")), "“bad.zip” in “set.zip” is an archive itself", id="ZIP"),
        pytest.param(
            pack_files(bad_jpg=named("a.jpg")), "“bad.jpg” in “set.zip” is a ZIP archive itself", id="hidden ZIP"
        ),
        pytest.param(named("bad.jpg/"), "“bad.jpg” in “set.zip” is named as a folder, and has content", id="folder"),
        pytest.param(named(""), "“unnamed” in “set.zip” is named as a folder, and has content", id="no name"),
        pytest.param(pack_files(bad_jpg=bytes(20_100_000)), "“bad.jpg” in “set.zip” has 20.1 MB", id="large"),
        pytest.param(named("Bad.JPG", "bad.jpg"), "“bad.jpg” in “set.zip” is there twice", id="twice, by case"),
        pytest.param(named("b\u200bad.jpg", "bad.jpg"), "“bad.jpg” in “set.zip” is there twice", id="twice, unseen"),
        pytest.param(
            pack_files(bad_heic=b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
            "“bad.heic” in “set.zip” is a HEIC picture, and only JPEG, PNG and WebP pictures are understood: save or "
            "export it as a JPEG.",
            id="HEIC",
        ),
        pytest.param(pack_files(bad_avif=b"\0\0\0\x18ftypavif\0\0\0\0"), "is an AVIF picture", id="AVIF"),
        pytest.param(pack_files(bad_gif=animated("GIF")), "is a GIF, and only", id="GIF"),
        pytest.param(pack_files(bad_psd=b"8BPS\0\1"), "is a Photoshop file, and only", id="Photoshop"),
        pytest.param(pack_files(bad_tif=save(noise(8, 8), "TIFF")), "is a TIFF picture", id="TIFF"),
        pytest.param(pack_files(bad_bmp=save(noise(8, 8), "BMP")), "is a BMP picture", id="BMP"),
        pytest.param(pack_files(bad_svg=b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "is an SVG drawing", id="SVG"),
        pytest.param(
            pack_files(bad_mov=b"\0\0\0\x18ftypqt  \0"), "is neither a JPG, PNG or WebP picture nor", id="video"
        ),
        pytest.param(pack_files(bad_docx=named("a.xml")), "is neither a JPG, PNG or WebP picture nor", id="document"),
    ],
)
def test_one_bad_entry_is_named_and_the_others_are_taken(
    tmp_path: Path, bad: bytes | tuple[bytes, bytes], words: str
) -> None:
    contents = taken(tmp_path, join_archives(stored(b"a.jpg"), bad, stored(b"b.jpg")))

    assert names(contents) == ["a.jpg", "b.jpg"]
    (sentence,) = contents.left_out
    assert words in sentence
    assert sentence.endswith(".")


def test_many_bad_entries_make_few_sentences(tmp_path: Path) -> None:
    documents = [(zipfile.ZipInfo(f"{number}.pdf"), b"%PDF-1.7") for number in range(1, 31)]

    contents = taken(tmp_path, zip_entries([*documents, (zipfile.ZipInfo("owl.jpg"), PHOTO)]))

    (sentence,) = contents.left_out
    assert sentence.startswith("“1.pdf” in “set.zip” is neither")
    assert sentence.endswith(
        "The same goes for “2.pdf”, " + ", ".join(f"“{n}.pdf”" for n in range(3, 14)) + ", 17 more."
    )


@pytest.mark.parametrize("name", ["owl.jpg_large", "owl.JPE", "owl.jpg-large", "owl.heic", "owl", "owl.gif", "owl.bin"])
def test_what_a_picture_is_its_content_says(tmp_path: Path, name: str) -> None:
    contents = taken(tmp_path, join_archives(stored(name.encode()), stored(b"owl.txt", b"an owl")))
    (tmp_path / "single").write_bytes(PHOTO)

    assert match_captions(names(contents)).pictures == ((0, 1),)
    assert match_captions([check_file(tmp_path / "single", name), "owl.txt"]).pictures == ((0, 1),)


def test_what_begins_with_a_digit_is_no_ending(tmp_path: Path) -> None:
    (tmp_path / "single").write_bytes(PHOTO)

    assert check_file(tmp_path / "single", "owl.2024") == "owl.2024.jpg"


def test_a_file_that_is_no_picture_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "single"

    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(
        Refused, match=r"“owl\.heic” cannot be used: it is a HEIC picture, .*; save or export it as a JPEG"
    ):
        check_file(path, "owl.heic")

    path.write_bytes(b"%PDF-1.7")
    with pytest.raises(Refused, match=r"“owl\.pdf” is no JPEG, PNG, WebP, text file or ZIP\."):
        check_file(path, "owl.pdf")


def test_zip64_and_sizes_that_come_after_the_content_are_read(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, offset: int, whence: int = 0, /) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    file = Pipe()
    with zipfile.ZipFile(file, "w") as archive:
        with archive.open("a.jpg", "w", force_zip64=True) as entry:
            entry.write(PHOTO)
        archive.writestr("b.jpg", PHOTO)

    contents = taken(tmp_path, file.getvalue())

    assert [each.path.read_bytes() for each in contents.files] == [PHOTO, PHOTO]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whatever_the_bytes_of_an_archive_each_entry_is_taken_or_named(tmp_path: Path) -> None:
    chance = random.Random(5)
    seed = join_archives(*(stored("表.jpg".encode("cp932")[:2] + b"%d.jpg" % number) for number in range(4)))
    path = tmp_path / "upload"
    for number in range(400):
        content = bytearray(seed)
        content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(bytes(content))
        into = tmp_path / str(number)
        into.mkdir()
        try:
            contents = unpack(path, into, "set.zip")
        except Refused:
            continue
        count = len(contents.files) + sum(sentence.count("“") - 1 for sentence in contents.left_out)
        assert count >= 3, contents  # a changed letter may make two names one


# Pictures.

OWL = noise(64, 48)


def spoil_part(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG with a wrong sum."""
    part = chunk(kind, content)
    return part[:-1] + bytes([part[-1] ^ 1])


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(spoil_part(b"iCCP", b"sRGB\0\0" + zlib.compress(b"profile")), id="sum of the colour profile"),
        pytest.param(spoil_part(b"gAMA", struct.pack(">I", 45455)), id="sum of the gamma"),
        pytest.param(spoil_part(b"tEXt", b"Comment\0hello"), id="sum of a text"),
        pytest.param(spoil_part(b"eXIf", b"MM\0*\0\0\0\x08\0\0"), id="sum of the EXIF"),
        pytest.param(spoil_part(b"tRNS", bytes(6)), id="sum of the transparency"),
        pytest.param(chunk(b"iCCP", b""), id="empty profile"),
        pytest.param(chunk(b"iCCP", b"sRGB\0\x07" + zlib.compress(b"profile")), id="profile packed in another way"),
        pytest.param(chunk(b"iCCP", b"sRGB\0\0nonsense"), id="profile that is not packed"),
        pytest.param(chunk(b"tRNS", b"\0"), id="transparency of a false length"),
        pytest.param(chunk(b"eXIf", b"nonsense"), id="EXIF that is nonsense"),
        pytest.param(chunk(b"gAMA", b""), id="empty gamma"),
        pytest.param(chunk(b"acTL", struct.pack(">II", 1, 0)), id="animation of one picture"),
    ],
)
def test_what_programs_pass_over_in_a_png_does_not_spoil_it(tmp_path: Path, extra: bytes) -> None:
    path = tmp_path / "upload"
    path.write_bytes(with_chunk(save(OWL, "PNG"), extra))

    prepared = prepare_training_picture(path, "owl.png")

    assert load(prepared.content).size == (64, 48)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(png(40, 30, colour=3), "it has no palette", id="no palette"),
        pytest.param(png(40, 30, colour=3, extra=chunk(b"PLTE", b"")), "damaged", id="empty palette"),
        pytest.param(png(40, 30, colour=3, extra=chunk(b"PLTE", bytes(4))), "damaged", id="palette of 4 bytes"),
        pytest.param(png(40, 30, colour=3, extra=spoil_part(b"PLTE", bytes(6))), "damaged", id="sum of the palette"),
        pytest.param(png(40, 30)[:24] + b"\x03" + png(40, 30)[25:], "damaged", id="depth of 3"),
        pytest.param(with_chunk(png(40, 30), chunk(b"ABCD", b"")), "damaged", id="part that nobody knows"),
    ],
)
def test_a_png_without_what_it_needs_is_refused_in_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)

    with pytest.raises(Refused, match=words):
        prepare_training_picture(path, "owl.png")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png(64, 48, depth=16), id="16 bits"),
        pytest.param(png(64, 48, colour=0, depth=16), id="16 bits of grey"),
        pytest.param(png(64, 48, colour=0, depth=1), id="1 bit"),
        pytest.param(png(64, 48, colour=3, extra=chunk(b"PLTE", bytes(6)) + chunk(b"tRNS", b"\0")), id="palette, tRNS"),
        pytest.param(save(OWL, "JPEG", progressive=True), id="progressive"),
        pytest.param(save(noise(64, 48, "CMYK"), "JPEG"), id="CMYK"),
        pytest.param(save(OWL, "MPO", save_all=True, append_images=[OWL]), id="two pictures of a camera"),
        pytest.param(save(OWL, "WEBP", lossless=True, icc_profile=b"nonsense"), id="lossless WebP, odd profile"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_still_picture_is_taken(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)

    assert load(prepare_training_picture(path, "owl.png").content).size == (64, 48)


@pytest.mark.parametrize("orientation", [0, 9, 65535, (1, 6)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_odd_orientation_is_upright(tmp_path: Path, orientation: object) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "upload"
    path.write_bytes(save(OWL, "JPEG", exif=exif))

    assert load(prepare_training_picture(path, "owl.jpg").content).size == (64, 48)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whatever_the_bytes_of_a_picture_the_answer_is_a_sentence(tmp_path: Path) -> None:
    chance = random.Random(3)
    palette = save(noise(32, 24).quantize(8), "PNG", transparency=3)
    seeds = [palette, save(noise(32, 24, "L"), "PNG"), save(noise(32, 24, "CMYK"), "JPEG"), png(32, 24, depth=16)]
    path = tmp_path / "upload"
    refused = 0
    for _ in range(400):
        content = bytearray(chance.choice(seeds))
        for _ in range(chance.choice([1, 2, 10])):
            content[chance.randrange(chance.choice([len(content), 60]))] = chance.randrange(256)
        if chance.random() < 0.2:  # a part is missing
            at = content.find(chance.choice([b"PLTE", b"tRNS", b"IHDR", b"\xff\xdb", b"\xff\xc4"]))
            del content[at - 4 : at + chance.randrange(60)]
        path.write_bytes(bytes(content))
        try:
            prepare_training_picture(path, "owl.png")
        except Refused:
            refused += 1
    assert 0 < refused < 400
