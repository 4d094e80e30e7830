"""The store of files by their SHA-256."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.errors import Broken
from storage.media import Media
from tests import ROOT

PICTURE = b"the bytes of a picture" * 1000
SHA256 = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def media(tmp_path: Path) -> Media:
    return Media(tmp_path / "media")


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_what_was_stored_is_read_back_by_its_hash(media: Media, tmp_path: Path) -> None:
    assert await media.store(PICTURE) == SHA256

    assert await media.read(SHA256) == PICTURE
    assert files(tmp_path / "media") == [f"{SHA256[:2]}/{SHA256[2:4]}/{SHA256}"]


async def test_the_same_bytes_are_kept_once(media: Media) -> None:
    await media.store(PICTURE)
    written = media.path(SHA256).stat()

    await media.store(PICTURE)

    assert media.path(SHA256).stat().st_ino == written.st_ino


async def test_a_download_is_moved_in_not_copied(media: Media, tmp_path: Path) -> None:
    async with media.temporary() as download:
        download.write_bytes(PICTURE)
        inode = download.stat().st_ino
        assert await media.adopt(download) == SHA256

    assert media.path(SHA256).stat().st_ino == inode
    assert files(tmp_path / "media") == [f"{SHA256[:2]}/{SHA256[2:4]}/{SHA256}"]


async def test_a_download_of_bytes_that_are_there_leaves_nothing_behind(media: Media, tmp_path: Path) -> None:
    await media.store(PICTURE)
    async with media.temporary() as download:
        download.write_bytes(PICTURE)
        assert await media.adopt(download) == SHA256

    assert len(files(tmp_path / "media")) == 1


async def test_a_download_that_fails_leaves_nothing_behind(media: Media, tmp_path: Path) -> None:
    async def download() -> None:
        async with media.temporary() as path:
            path.write_bytes(b"half a pic")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await download()

    assert files(tmp_path / "media") == []


@pytest.mark.parametrize("verb", ["store", "adopt"])
async def test_a_file_that_was_cut_short_is_replaced(media: Media, verb: str) -> None:
    await media.store(PICTURE)
    os.truncate(media.path(SHA256), 100)

    if verb == "store":
        await media.store(PICTURE)
    else:
        async with media.temporary() as download:
            download.write_bytes(PICTURE)
            await media.adopt(download)

    assert await media.read(SHA256) == PICTURE


async def test_a_damaged_file_is_never_handed_out(media: Media) -> None:
    await media.store(PICTURE)
    media.path(SHA256).write_bytes(b"T" + PICTURE[1:])

    with pytest.raises(Broken, match="damaged"):
        await media.read(SHA256)


async def test_a_missing_file_is_named_as_such(media: Media) -> None:
    with pytest.raises(Broken, match="missing"):
        await media.read(SHA256)


async def test_a_removed_file_is_gone_and_may_be_removed_again(media: Media) -> None:
    await media.store(PICTURE)

    await media.remove(SHA256)
    await media.remove(SHA256)

    with pytest.raises(Broken, match="missing"):
        await media.read(SHA256)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", SHA256.upper(), SHA256 + "\n", SHA256[:-1], "/" + SHA256[1:]])
async def test_only_a_hash_names_a_file(media: Media, name: str) -> None:
    for refuse in (media.read, media.remove):
        with pytest.raises(ValueError, match="not a SHA-256"):
            await refuse(name)


async def test_a_process_killed_before_the_rename_leaves_no_half_file(media: Media, tmp_path: Path) -> None:
    store_and_die = f"""if True:
        import asyncio, os, pathlib, signal
        from storage.media import Media
        pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(Media(pathlib.Path({str(tmp_path / "media")!r})).store({PICTURE!r}))
    """
    dead = subprocess.run([sys.executable, "-c", store_and_die], cwd=ROOT, check=False)  # noqa: S603, ASYNC221
    assert dead.returncode == -signal.SIGKILL
    (left,) = (tmp_path / "media" / "tmp").iterdir()
    assert not media.path(SHA256).exists()

    hours_ago = time.time() - 2 * 3600
    os.utime(left, (hours_ago, hours_ago))
    assert await media.sweep_temporary() == 1

    await media.store(PICTURE)
    assert await media.read(SHA256) == PICTURE
    assert files(tmp_path / "media") == [f"{SHA256[:2]}/{SHA256[2:4]}/{SHA256}"]


async def test_a_download_under_way_in_another_process_is_not_swept(media: Media) -> None:
    async with media.temporary() as download:
        download.write_bytes(b"half a pic")

        assert await media.sweep_temporary() == 0
        assert download.exists()


async def test_a_store_that_was_never_used_is_swept_too(media: Media) -> None:
    assert await media.sweep_temporary() == 0


@pytest.mark.parametrize("verb", ["store", "adopt"])
async def test_bytes_are_on_disk_before_they_get_their_name_and_the_name_before_the_answer(
    media: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    events: list[int | str] = []
    fsync, replace = os.fsync, Path.replace

    def watch_fsync(descriptor: int) -> None:
        fsync(descriptor)
        events.append(os.fstat(descriptor).st_ino)

    def watch_replace(path: Path, target: Path) -> Path:
        events.append("named")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watch_fsync)
    monkeypatch.setattr(Path, "replace", watch_replace)

    if verb == "store":
        await media.store(PICTURE)
    else:
        async with media.temporary() as download:
            download.write_bytes(PICTURE)
            await media.adopt(download)

    path = media.path(SHA256)
    folders = {folder.stat().st_ino for folder in (path.parent, path.parent.parent, tmp_path / "media")}
    assert events[:2] == [path.stat().st_ino, "named"]
    assert set(events[2:]) == folders


async def test_a_full_disk_leaves_nothing_behind(media: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(OSError, match="No space left"):
        await media.store(PICTURE)
    assert files(tmp_path / "media") == []
