"""The prompt as Astria gets it: with our own LoRA tag, and without anything else that Astria takes for a command.

Astria obeys its prompts: `<lora:ID:STRENGTH>` and `<faceid:ID:…>` load anybody's tune, and `--video`, `--ar 1:1` and
the like set what is drawn and paid ("flags inside text are still accepted", docs.astria.ai). What a member types is
therefore defused.
"""

import re
import unicodedata

_DASHES = "‐‑‒–—―−﹘﹣－-"  # the plain one last: a character class wants it there
_LOOKALIKES = str.maketrans({"＜": "<", "﹤": "<", "＞": ">", "﹥": ">", "：": ":", "﹕": ":", "∶": ":"})
_ENTITY = re.compile(r"&(?:amp;)*(?:(lt)|(gt)|#0*60|#0*62|#x0*3c|#x0*3e);?", re.IGNORECASE)
_TAG = re.compile(r"<[^<>:]*:[^<>]*>")
_UNCLOSED_TAG = re.compile(r"<\s*[\w-]+\s*:[^<>\s]*")
_FLAG = re.compile(
    rf"(?<![\w{_DASHES}])(?:[–—―]|[{_DASHES}]{{2,}})"  # phones make "—" of "--"
    rf"[^\W\d_](?:[\w{_DASHES}]*\w)?"
    rf"(?:\s*=\s*\S+|\s+\d+(?:[.,:/x×]\d+)*(?!\w))?",
    re.IGNORECASE,
)
_DASHES_IN_A_ROW = re.compile(rf"\s*[{_DASHES}]{{2,}}\s*")


def lora_tag(tune: str, strength: float) -> str:
    """`<lora:123:0.8>`; the strength as plain decimals, since an exponent is no number to Astria."""
    return f"<lora:{tune}:{f'{strength:.4f}'.rstrip('0').rstrip('.')}>"


def escape_syntax(text: str) -> str:
    """`text` without tags and flags, in whatever spelling, so that what is left reads naturally.

    No `<`, `>` or `--` remains, so that nothing can grow together into a new tag or flag. A text with nothing of the
    kind in it comes back as it is.
    """
    plain = _ENTITY.sub(_bracket, _without_invisible(text.translate(_LOOKALIKES)))
    if not re.search(rf"[<>]|[{_DASHES}]{{2}}|(?<!\w)[–—―]\w", plain):
        return text
    before = None
    while before != plain:
        before, plain = plain, _TAG.sub(" ", plain)  # what is nested comes to light when its inside is gone
    plain = _FLAG.sub(" ", _UNCLOSED_TAG.sub(" ", plain))
    plain = plain.replace("<", "‹").replace(">", "›")
    plain = re.sub(r"[^\S\n]+", " ", plain)
    plain = _DASHES_IN_A_ROW.sub(" – ", plain)
    plain = re.sub(r" +([,.;!?])", r"\1", plain)
    return plain.strip(" ,;")


def _bracket(entity: re.Match[str]) -> str:
    written = entity[0].lower()
    return "<" if entity[1] or re.search(r"#0*60|#x0*3c", written) else ">"


def _without_invisible(text: str) -> str:
    """Invisible characters go where a plain one is beside them: in `<lo…ra:`, but not within emoji or Persian words."""
    kept: list[str] = []
    for place, character in enumerate(text):
        if unicodedata.category(character) == "Cf":
            beside = [*kept[-1:], *text[place + 1 : place + 2]]
            if any(other.isascii() or other in _DASHES for other in beside):
                continue
        kept.append(character)
    return "".join(kept)
