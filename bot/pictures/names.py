"""The names of the files that members give: what they say of a file, and how they are shown.

A name comes from outside. It is never a path of ours, and it is cleaned before anybody reads it.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import Refused

_LONGEST = 120  # characters of a name that are kept
_READ = 1000  # characters of a name that are looked at; in a ZIP it may have 65,535
_SHOWN = 40  # characters of a name in a sentence
_PICTURES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".png", ".webp"})
_ARCHIVES = frozenset({".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".cbz", ".jar"})


class Kind(StrEnum):
    """What a file is by the ending of its name. The content of a file has the last word: see `name_picture`."""

    PICTURE = "picture"
    CAPTION = "caption"
    ARCHIVE = "archive"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Matched:
    """Which caption belongs to which picture, as positions in the names that were given."""

    pictures: tuple[tuple[int, int | None], ...]
    """Each picture in its order, with its caption's position."""
    alone: tuple[int, ...]
    """Captions that no picture has the name of."""


def clean(name: str) -> str:
    """The last part of a name on one line: no folders, control characters, or marks that turn text around.

    At most 120 characters, the ending among them. Composed as NFC: a Mac writes é as two characters.
    """
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    last = last if len(last) <= _READ else f"{last[: _READ // 2]}{last[-_READ // 2 :]}"
    shown = "".join(" " if letter.isspace() else letter for letter in last if not _is_unseen(letter))
    return _shorten(" ".join(shown.split()), _LONGEST) or "unnamed"


def quoted(name: str) -> str:
    """A name as a sentence has it: “holiday.jpg”."""
    return f"“{_shorten(clean(name), _SHOWN)}”"


def kind_of(name: str) -> Kind:
    ending = _split(clean(name))[1].lower()
    if ending in _PICTURES:
        return Kind.PICTURE
    if ending == ".txt":
        return Kind.CAPTION
    return Kind.ARCHIVE if ending in _ARCHIVES else Kind.OTHER


def name_picture(name: str, ending: str) -> str:
    """The name of a file whose content is a picture, with an ending that says so: “owl.jpg_large” is “owl.jpg”.

    `ending` is that of the content, such as ".jpg". What begins with a digit is no ending: “owl.2024”.
    """
    name = clean(name)
    if kind_of(name) is Kind.PICTURE:
        return name
    before, false_ending = _split(name)
    return f"{before if false_ending[1:2].isalpha() else name}{ending}"


def stem(name: str) -> str:
    """What a picture and its caption have in common, whatever the case of their letters."""
    return _split(clean(name))[0].casefold()


def match_captions(names: Sequence[str]) -> Matched:
    """Find each picture's caption: the .txt file of the same name. Files of other kinds are passed over.

    Raises:
        Refused: a caption would fit two pictures, or a picture has two captions.
    """
    captions: dict[str, int] = {}
    pictures: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        kind, key = kind_of(name), stem(name)
        if kind is Kind.CAPTION and key in captions:
            raise Refused(f"There are two captions called {quoted(name)}: rename one as its picture is called.")
        if kind is Kind.CAPTION:
            captions[key] = position
        elif kind is Kind.PICTURE:
            pictures.setdefault(key, []).append(position)
    for key, caption in captions.items():
        if len(positions := pictures.get(key, [])) > 1:
            raise Refused(
                f"{quoted(names[caption])} could be the caption of {quoted(names[positions[0]])} or of "
                f"{quoted(names[positions[1]])}: give the pictures different names."
            )
    pairs = sorted((position, captions.get(key)) for key, positions in pictures.items() for position in positions)
    return Matched(tuple(pairs), tuple(at for key, at in captions.items() if key not in pictures))


def _is_unseen(letter: str) -> bool:
    """A control, formatting (bidi marks among them), private or unassigned character, or half of one."""
    return unicodedata.category(letter)[0] == "C" and not letter.isspace()


def _split(name: str) -> tuple[str, str]:
    """A name without its ending, and the ending with its dot. A dot in front begins no ending."""
    before, dot, ending = name.rpartition(".")
    return (before, dot + ending) if before else (name, "")


def _shorten(name: str, most: int) -> str:
    """The middle goes; the ending stays, unless it is no ending."""
    if len(name) <= most:
        return name
    ending = _split(name)[1]
    ending = ending if len(ending) <= 8 else ""
    return f"{name[: most - len(ending) - 1]}…{ending}"
