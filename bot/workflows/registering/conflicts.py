"""Who may not decide whether an image is registered, because something in it is their own."""

from bot.workflows.drawing.types import ImageRequest
from bot.workflows.registering.types import Terms
from storage.base import jobs
from storage.database import Connection
from storage.drawing import images
from storage.finetuning import finetunes, training_images
from storage.registering import registrations, wallets
from storage.reviewing.reviews import Review


async def object_to_registration(db: Connection, review: Review, user_id: int) -> str | None:
    """Why a person should not decide: it is their own image, their model or pictures drew it, or it names their wallet;
    None where they may."""
    registration = await registrations.find(db, review.subject)
    if registration is None:
        return None
    if registration.owner_id == user_id:
        return "Nobody decides on their own image. Another moderator has to."
    image = await images.find(db, registration.image_id)
    job = await jobs.find(db, image.job_id) if image else None
    request = ImageRequest.model_validate_json(job.request) if job else None
    finetune = await finetunes.find(db, request.finetune) if request and request.finetune else None
    if finetune is not None:
        if finetune.owner_id == user_id:
            return "It was drawn by a model that you trained. Another moderator has to decide."
        pictures = await training_images.of_finetune(db, finetune.id)
        if any(picture.contributor_id == user_id for picture in pictures):
            return "It was drawn by a model that was trained with your pictures. Another moderator has to decide."
    wallet = await wallets.find(db, user_id)
    terms = Terms.model_validate_json(registration.terms) if registration.terms else None
    if wallet is not None and terms is not None:
        named = {terms.recipient, *(creator.address for creator in terms.content.creators)}
        if wallet.address in named:
            return "Your own wallet is named in it. Another moderator has to decide."
    return None
