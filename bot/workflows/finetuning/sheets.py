"""The contact sheet of a training set: drawn anew after each change of its pictures."""

from bot.clock import Clock
from bot.pictures.contact_sheet import contact_sheet
from bot.pictures.decode import Decoder
from bot.workflows.base.files import Files
from storage.database import Database
from storage.finetuning import finetunes, training_images
from storage.media import Media


class Sheets:
    """Draws contact sheets and keeps them, one a finetune."""

    def __init__(self, *, database: Database, clock: Clock, media: Media, files: Files, decoder: Decoder) -> None:
        self._files = files
        self._database = database
        self._clock = clock
        self._media = media
        self._decoder = decoder

    async def draw(self, finetune_id: str) -> None:
        """Show the pictures as they are now. Safe to repeat: the same pictures are the same sheet."""
        async with self._database.read() as db:
            pictures = await training_images.of_finetune(db, finetune_id)
        sheet = None
        if pictures:
            paths = [self._media.path(picture.sha256) for picture in pictures]
            captioned = [number for number, picture in enumerate(pictures, 1) if picture.caption]
            drawn = await self._decoder.run(contact_sheet, paths, captioned=captioned)
            sheet = await self._files.store(drawn.content)
        async with self._database.write() as db:
            before = await finetunes.find(db, finetune_id)
            now = await training_images.of_finetune(db, finetune_id)
            if before is None or before.deleted_at is not None or now != pictures:
                return  # whoever changed it draws it
            await finetunes.update(db, finetune_id, now=self._clock.now(), sheet=sheet)
        if before.sheet != sheet:
            await self._files.discard([before.sheet])
