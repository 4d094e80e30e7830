"""From files that a member gives to pictures that can be trained on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Refused, Unavailable
from bot.pictures.names import Kind, kind_of, match_captions, stem
from bot.pictures.training_sets.archives import MOST_BYTES, Contents, unpack
from bot.pictures.training_sets.preparing import TRAINING, Prepared, check_file, prepare_training_picture, read_caption
from bot.values import sha256_of
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Upload
from bot.workflows.base.uploads import fetch_upload

PATIENCE = 300.0
"""Seconds until all files of one form are here, and unpacked: other members wait for their turn meanwhile."""


@dataclass(frozen=True)
class Given:
    """A picture that can be trained on; its bytes are stored."""

    name: str
    sha256: str
    original_sha256: str
    prepared: Prepared
    """Its content is stored under `sha256`; the other fields describe it."""
    caption: str | None


@dataclass(frozen=True)
class Taken:
    """The result of reading some files."""

    pictures: tuple[Given, ...]
    captions: dict[str, str]
    """Those without a picture among the same files, by the stem of their name; it may have been given earlier."""
    left_out: tuple[str, ...]
    """One sentence for each file that cannot be used."""


class Intake:
    """Reads what members give. One archive or set of files at a time: each may take 100 MB on the disk meanwhile."""

    def __init__(self, kit: Kit) -> None:
        self._files = kit.files
        self._decoder = kit.decoder
        self._turn = asyncio.Lock()

    async def take(self, uploads: Sequence[Upload]) -> Taken:
        """Every picture and caption in `uploads`, in their order; a ZIP stands for what is in it.

        Raises:
            Refused: nothing in all of it can be used, or a caption fits two pictures; nothing was stored.
            Unavailable: Discord did not hand a file over.
        """
        async with self._turn, self._files.temporary_folder() as folder:
            try:
                async with asyncio.timeout(PATIENCE):
                    files, left_out = await self._fetch(uploads, folder)
            except TimeoutError as error:
                raise Unavailable(
                    "Discord took too long to hand these files over. Please give fewer at once."
                ) from error
            names = [name for name, _ in files]
            matched = match_captions(names)
            captions: dict[int, str] = {}
            for position, (name, path) in enumerate(files):
                if kind_of(name) is Kind.CAPTION:
                    try:
                        captions[position] = await self._decoder.run(read_caption, path, name)
                    except Refused as error:
                        left_out.append(str(error))
            pictures: list[Given] = []
            for position, caption in matched.pictures:
                name, path = files[position]
                try:
                    pictures.append(
                        await self._prepare(name, path, captions.get(caption) if caption is not None else None)
                    )
                except Refused as error:
                    left_out.append(str(error))
        alone = {stem(names[at]): captions[at] for at in matched.alone if at in captions}
        if not pictures and not alone and left_out:
            raise Refused(" ".join(left_out))
        return Taken(tuple(pictures), alone, tuple(left_out))

    async def _fetch(self, uploads: Sequence[Upload], folder: Path) -> tuple[list[tuple[str, Path]], list[str]]:
        """The files on the disk, archives unpacked; and why some are not among them."""
        files: list[tuple[str, Path]] = []
        left_out: list[str] = []
        for number, upload in enumerate(uploads):
            most = MOST_BYTES if kind_of(upload.name) is Kind.ARCHIVE else TRAINING.file_bytes
            path = folder / f"file-{number}"
            try:
                await fetch_upload(upload, path, most=most)
                if kind_of(upload.name) is Kind.ARCHIVE:
                    contents = await self._unpack(path, folder / f"archive-{number}", upload.name)
                    files += [(each.name, each.path) for each in contents.files]
                    left_out += contents.left_out
                else:
                    files.append((await asyncio.to_thread(check_file, path, upload.name), path))
            except Refused as error:
                left_out.append(str(error))
        return files, left_out

    async def _unpack(self, path: Path, folder: Path, name: str) -> Contents:
        await asyncio.to_thread(folder.mkdir)
        contents = await self._decoder.run(unpack, path, folder, name)
        await asyncio.to_thread(path.unlink)
        return contents

    async def _prepare(self, name: str, path: Path, caption: str | None) -> Given:
        prepared = await self._decoder.run(prepare_training_picture, path, name)
        original = await asyncio.to_thread(sha256_of, path)
        sha256 = await self._files.store(prepared.content)
        return Given(name, sha256, original, prepared, caption or None)
