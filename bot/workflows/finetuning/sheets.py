"""The contact sheet of a training set: drawn anew after each change of its pictures."""

from bot.pictures.contact_sheet import draw_contact_sheet
from bot.workflows.base.kit import Kit
from storage.finetuning import finetunes, training_images


class ContactSheets:
    """Draws contact sheets and keeps them, one a finetune."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._files = kit.files
        self._decoder = kit.decoder

    async def draw(self, finetune_id: str) -> None:
        """Show the pictures as they are now. Safe to repeat: the same pictures are the same sheet."""
        async with self._work.read() as db:
            pictures = await training_images.of_finetune(db, finetune_id)
        sheet = None
        if pictures:
            paths = [self._files.path(picture.sha256) for picture in pictures]
            captioned = [number for number, picture in enumerate(pictures, 1) if picture.caption]
            drawn = await self._decoder.run(draw_contact_sheet, paths, captioned=captioned)
            sheet = await self._files.store(drawn.content)
        async with self._work() as tx:
            finetune = await finetunes.find(tx.db, finetune_id)
            newest = await training_images.of_finetune(tx.db, finetune_id)
            if finetune is None or finetune.deleted_at is not None or newest != pictures:
                return  # the transaction that changed the set draws the newer sheet
            await finetunes.update(tx.db, finetune_id, now=tx.now, sheet=sheet)
            if finetune.sheet != sheet:
                await tx.let_go([finetune.sheet])
