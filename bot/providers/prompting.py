"""Puts the trigger word of a finetune into a prompt. It changes text only; the provider's client loads the finetune.

Source: BFL's finetuning guide (prepend the trigger word, describe the subject briefly, "in the style of" for styles)
and docs.astria.ai (token and class name must both be in the text).
"""

import re

from bot.providers.training import TrainedSubject


def with_trigger(prompt: str, *, trigger: str, subject: TrainedSubject, description: str = "") -> str:
    """`prompt` with the trigger word where it works, and the owner's short description of the subject.

    A member who wrote the trigger word themselves has put it where they want it.
    """
    prompt = prompt.strip()
    if not trigger:
        return prompt
    is_written = re.search(rf"(?<!\w){re.escape(trigger)}(?!\w)", prompt, re.IGNORECASE)
    if subject is TrainedSubject.STYLE:
        styled = (
            prompt
            if is_written
            else f"{prompt.rstrip(' .,;')}, in the style of {trigger}"
            if prompt
            else f"in the style of {trigger}"
        )
        return f"{styled}. {_end_sentence(description)}" if description.strip() else styled
    led = prompt if is_written else f"{trigger}, {prompt}" if prompt else trigger
    if not description.strip():
        return led
    return f"{_end_sentence(led)} {trigger} is {_end_sentence(description)}"


def _end_sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
