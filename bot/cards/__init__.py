"""Every card and sentence the bot shows: pure functions of what is known."""

from bot.cards.card import Card, CardFile, Copy
from bot.cards.details import details
from bot.cards.finetune import finetune_card
from bot.cards.finetune_details import deletion_question, finetune_details, finetune_list
from bot.cards.finetune_news import news_card
from bot.cards.finetune_review import consent_review_card, training_review_card
from bot.cards.request import image_card, request_card
from bot.cards.review import review_card
from bot.cards.settings import community_text, defaults_text, history_text
from bot.cards.shown import card_of, review_card_for
from bot.cards.sweep import sweep_offer
from bot.cards.words import money, quoted

__all__ = [
    "Card",
    "CardFile",
    "Copy",
    "card_of",
    "community_text",
    "consent_review_card",
    "defaults_text",
    "deletion_question",
    "details",
    "finetune_card",
    "finetune_details",
    "finetune_list",
    "history_text",
    "image_card",
    "money",
    "news_card",
    "quoted",
    "request_card",
    "review_card",
    "review_card_for",
    "sweep_offer",
    "training_review_card",
]
