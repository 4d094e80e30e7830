"""The texts that a command takes, each with the length that the code behind it accepts.

Discord counts while somebody types and says so at once; without a length it lets 6,000 characters through.
"""

from discord.app_commands import Range

from bot import limits

Prompt = Range[str, 1, limits.OPTION_CHARACTERS]
"""What to draw; each model's own limit is checked after it is chosen."""
Choice = Range[str, 1, limits.CHOICE_CHARACTERS]
"""What is suggested while somebody types: a model, a trainer, a pack, a finetune's name or id."""
Ratio = Range[str, 1, 20]
"""A shape, such as 16:9, also as decimals."""
Pointer = Range[str, 1, 200]
"""An id, or a link to a message or to an explorer's page."""
Links = Range[str, 1, 1000]
"""Several links to messages."""
Address = Range[str, 1, 60]
"""A wallet's or contract's address, 42 characters of it, with room for spaces."""
Day = Range[str, 1, 20]
"""A day, such as 2026-11-30."""
