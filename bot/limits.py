"""Discord's limits for messages, forms, commands and files.

Source: https://docs.discord.com/developers, on 2026-11-30: "Component Reference", "Create Message",
"Application Commands" and "Uploading Files".
"""

from typing import Final

MESSAGE_CHARACTERS: Final = 2000
"""Of the content of an ordinary message."""
ANSWER_CHARACTERS: Final = MESSAGE_CHARACTERS - 10
"""What the bot puts into one; the rest is for an ellipsis and for what Discord counts otherwise."""
CARD_CHARACTERS: Final = 4000
"""Of all texts of a message that is made of components."""
ROW_BUTTONS: Final = 5

FORM_FIELDS: Final = 5
HEADING_CHARACTERS: Final = 45
"""Of a form's title, and of a field's label."""
HINT_CHARACTERS: Final = 100
"""Of a field's description or placeholder."""
FIELD_CHARACTERS: Final = 4000
"""Of what can be typed into one field."""
FIELD_FILES: Final = 10
"""Files that one field takes."""

OPTION_CHARACTERS: Final = 6000
"""Of a text that is typed into a command."""
CHOICES: Final = 25
"""Of a menu, or offered while somebody types."""
CHOICE_CHARACTERS: Final = 100
"""Of a choice's name, and of its description."""

NONCE_CHARACTERS: Final = 25
FILE_BYTES: Final = 10 * 1024 * 1024
"""Of a file where the server has no boosts. With them Discord names a higher limit."""
REQUEST_BYTES: Final = 25 * 1024 * 1024
"""Of one request with all its files."""
