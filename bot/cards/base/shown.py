"""Which card shows what: one for each kind of thing that has one."""

from collections.abc import Mapping

from bot.cards.base.layout import Card, Copy
from bot.cards.drawing.card import request_card
from bot.cards.finetuning.card import finetune_card
from bot.cards.finetuning.review import consent_review_card, training_review_card
from bot.cards.registering.card import registration_card
from bot.cards.registering.review import registration_review_card
from bot.cards.reviewing.card import review_card
from bot.errors import Broken
from bot.workflows.base.shown import Shown
from bot.workflows.drawing.types import RequestView
from bot.workflows.registering.types import RegistrationView
from storage.media import Media
from storage.reviewing.reviews import Review


def card_of(view: Shown, media: Media, copies: Mapping[str, Copy] | None = None) -> Card:
    """The one card of a request, of a finetune or of a registration."""
    match view:
        case RequestView():
            return request_card(view, media, copies)
        case RegistrationView():
            return registration_card(view, media)
        case _:
            return finetune_card(view, media)


def review_card_for(review: Review, view: Shown, media: Media) -> Card:
    """What moderators see of an approval request, whatever it is about.

    Raises:
        Broken: one of a newer version of the bot.
    """
    if isinstance(view, RequestView):
        return review_card(review, view)
    if isinstance(view, RegistrationView):
        return registration_review_card(review, view, media)
    match review.kind:
        case "train":
            return training_review_card(review, view, media)
        case "consent":
            return consent_review_card(review, view, media)
        case _:
            raise Broken(f"This bot does not know approval requests of the kind {review.kind!r}.")
