"""Every card and sentence the bot shows: pure functions of what is known."""

from bot.cards.base.layout import Card, CardFile, Copy
from bot.cards.base.words import money, quoted
from bot.cards.community.settings import community_text, defaults_text, history_text
from bot.cards.drawing.card import image_card, request_card
from bot.cards.drawing.details import details
from bot.cards.drawing.sweep import sweep_offer
from bot.cards.finetuning.card import finetune_card
from bot.cards.finetuning.details import deletion_question, finetune_details, finetune_list
from bot.cards.finetuning.news import finetune_news
from bot.cards.finetuning.review import consent_review_card, training_review_card
from bot.cards.registering.card import registration_card
from bot.cards.registering.details import registration_details
from bot.cards.registering.draft import discarded_card, registration_draft_card, submitted_card
from bot.cards.registering.news import registration_news
from bot.cards.registering.review import registration_review_card
from bot.cards.registering.verdict import verdict_card
from bot.cards.registering.wallet import wallet_card, wallet_linked_card, wallet_text
from bot.cards.reviewing.audit import audit_text, export_text
from bot.cards.reviewing.card import review_card
from bot.cards.reviewing.queue import (
    EMPTY,
    choice_of,
    choices_text,
    denials_text,
    queue_is_empty,
    reminder_card,
    walked,
)

__all__ = [
    "EMPTY",
    "Card",
    "CardFile",
    "Copy",
    "audit_text",
    "choice_of",
    "choices_text",
    "community_text",
    "consent_review_card",
    "defaults_text",
    "deletion_question",
    "denials_text",
    "details",
    "discarded_card",
    "export_text",
    "finetune_card",
    "finetune_details",
    "finetune_list",
    "finetune_news",
    "history_text",
    "image_card",
    "money",
    "queue_is_empty",
    "quoted",
    "registration_card",
    "registration_details",
    "registration_draft_card",
    "registration_news",
    "registration_review_card",
    "reminder_card",
    "request_card",
    "review_card",
    "submitted_card",
    "sweep_offer",
    "training_review_card",
    "verdict_card",
    "walked",
    "wallet_card",
    "wallet_linked_card",
    "wallet_text",
]
