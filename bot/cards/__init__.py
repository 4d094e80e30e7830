"""Every card and sentence the bot shows: pure functions of what is known."""

from bot.cards.card import Card, CardFile, Copy
from bot.cards.details import details
from bot.cards.request import image_card, request_card
from bot.cards.review import review_card
from bot.cards.settings import community_text, defaults_text, history_text
from bot.cards.words import money, quoted

__all__ = [
    "Card",
    "CardFile",
    "Copy",
    "community_text",
    "defaults_text",
    "details",
    "history_text",
    "image_card",
    "money",
    "quoted",
    "request_card",
    "review_card",
]
