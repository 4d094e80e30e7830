"""Advice on a training set before it is paid for, made from facts about its pictures; no file is opened here.

What makes a good set is from BFL's own guide to its finetuning API (docs.bfl.ml, 2025): 1 to 20 pictures, more than 5
advised, at most one megapixel used of each, varied, and a trigger word that means nothing yet.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from bot.pictures.fingerprint import look_alike
from bot.pictures.names import quoted
from bot.pictures.training_sets.common_words import COMMON_WORDS

MOST_PICTURES = 20

_SMALL = 500_000  # pixels; half of what a trainer uses
_USUAL_TRIGGERS = frozenset({"tok", "ohwx", "sks"})  # of BFL, of Astria for FLUX, of older trainers
_SHORTEST_TRIGGER = 3  # letters and digits
_LONG = 2.5  # longer side by shorter
_SQUARE = 1.1  # longer side by shorter, up to which it looks square
_LISTED = 6  # numbers or names in a sentence


class Severity(StrEnum):
    """How much a finding matters, the gravest first."""

    ERROR = "error"
    """It cannot be trained like this."""
    WARNING = "warning"
    """It can, and will probably disappoint."""
    HINT = "hint"
    """Worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say."""

    severity: Severity
    sentence: str
    pictures: tuple[int, ...] = ()
    """Numbers of the pictures it is about, from 1 as on the contact sheet; empty for the whole set."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one picture."""

    name: str
    width: int
    """In pixels, upright, as the member gave it."""
    height: int
    fingerprint: str
    """Of `fingerprint.take_fingerprint`."""
    sha256: str
    """Of the file as the member gave it."""
    caption: str | None = None

    @property
    def ratio(self) -> float:
        """Width by height."""
        return self.width / self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a trainer wants of a set."""

    label: str
    """Its name, to begin a sentence with."""
    fewest: int = 1
    advised: int = 6
    most: int = MOST_PICTURES
    least_side: int | None = None
    """Pixels of the shorter side."""
    captions: bool = True
    """It uses them."""
    pairs: bool = False
    """Pictures come as start, end, start, end, …"""
    prefix: bool = False
    """It makes up the trigger word; the member's is its beginning."""


def lint(
    pictures: Sequence[Facts],
    needs: Needs,
    *,
    trigger: str = "",
    taken_triggers: Collection[str] = (),
    captions_alone: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """List every finding about a set, the gravest first.

    `taken_triggers` are those of the community's other finetunes; `captions_alone` are names of .txt files that
    belong to no picture.
    """
    findings = [
        *_lint_count(len(pictures), needs),
        *_lint_sizes(pictures, needs),
        *_lint_copies(pictures, pairs=needs.pairs),
        *_lint_trigger(trigger.strip(), taken_triggers, prefix=needs.prefix),
        *_lint_captions(pictures, needs, trigger.strip(), captions_alone),
        *_lint_shapes(pictures),
    ]
    return tuple(finding for severity in Severity for finding in findings if finding.severity is severity)


def _lint_count(count: int, needs: Needs) -> list[Finding]:
    have = f"there {'is' if count == 1 else 'are'} {count or 'none'}"
    if count < needs.fewest:
        wanted = f"{needs.fewest} picture{'s' if needs.fewest > 1 else ''}"
        return [Finding(Severity.ERROR, f"{needs.label} needs at least {wanted}; {have}.")]
    if count > needs.most:
        sentence = f"{needs.label} takes at most {needs.most} pictures; {have}: take out the weakest."
        return [Finding(Severity.ERROR, sentence)]
    findings: list[Finding] = []
    if needs.pairs and count % 2:
        sentence = f"{needs.label} learns from pairs, before and after: there are {count} pictures, so one is alone."
        findings.append(Finding(Severity.ERROR, sentence))
    if count < needs.advised:
        sentence = f"It works with {count}, but {needs.advised} or more pictures are advised: add some that differ."
        findings.append(Finding(Severity.WARNING, sentence))
    return findings


def _lint_sizes(pictures: Sequence[Facts], needs: Needs) -> list[Finding]:
    findings: list[Finding] = []
    least = needs.least_side or 0
    short = _numbers(pictures, lambda each: min(each.width, each.height) < least)
    if short:
        sentence = (
            f"{_name(short)} smaller than {least} pixels on the shorter side, the least {needs.label} is good with."
        )
        findings.append(Finding(Severity.WARNING, sentence, short))
    small = _numbers(pictures, lambda each: each.width * each.height < _SMALL and min(each.width, each.height) >= least)
    if small:
        sentence = (
            f"{_name(small)} below half a megapixel, and nothing is enlarged: fine details will be learned badly."
        )
        findings.append(Finding(Severity.WARNING, sentence, small))
    return findings


def _lint_copies(pictures: Sequence[Facts], *, pairs: bool) -> list[Finding]:
    """The same file twice, and pictures that look the same. Before and after may look alike, if not be the same."""
    same = [
        (one, other)
        for one, other in combinations(range(len(pictures)), 2)
        if pictures[one].sha256 == pictures[other].sha256
    ]
    alike = [
        (one, other)
        for one, other in combinations(range(len(pictures)), 2)
        if (one, other) not in same
        and not (pairs and one % 2 == 0 and other == one + 1)
        and look_alike(pictures[one].fingerprint, pictures[other].fingerprint)
    ]
    advice = "keep one: what is there twice is learned twice"
    findings = [Finding(Severity.WARNING, f"{_name(group)} the same file; {advice}.", group) for group in _group(same)]
    return findings + [
        Finding(Severity.WARNING, f"{_name(group)} nearly the same picture; {advice}.", group)
        for group in _group(alike)
    ]


def _lint_trigger(trigger: str, taken: Collection[str], *, prefix: bool) -> list[Finding]:
    if not trigger or prefix:  # of a prefix the trainer makes a word of its own
        return []
    shown = f"“{trigger}”"
    key = trigger.casefold()
    if key in {each.strip().casefold() for each in taken}:
        sentence = (
            f"{shown} is the trigger word of another finetune in this server: with two, nobody knows which is meant."
        )
        return [Finding(Severity.WARNING, sentence)]
    if key in _USUAL_TRIGGERS:
        sentence = f"{shown} is what trainers use when nothing is chosen: it works, but a word of your own tells more."
        return [Finding(Severity.HINT, sentence)]
    words = _words(trigger)
    if words and all(word in COMMON_WORDS for word in words):
        what = "an ordinary word" if len(words) == 1 else "made of ordinary words"
        sentence = f"{shown} is {what} that the model knows already: make one up, such as {_made_up(words[-1])}."
        return [Finding(Severity.WARNING, sentence)]
    if sum(map(len, words)) < _SHORTEST_TRIGGER:
        sentence = (
            f"{shown} is so short that it may be part of another word: {_SHORTEST_TRIGGER} letters or more are safer."
        )
        return [Finding(Severity.WARNING, sentence)]
    return []


def _lint_captions(
    pictures: Sequence[Facts], needs: Needs, trigger: str, captions_alone: Sequence[str]
) -> list[Finding]:
    findings: list[Finding] = []
    if captions_alone:
        names = _join([quoted(name) for name in captions_alone])
        sentence = f"No picture has the name of {names}: give a caption its picture's name, with .txt at the end."
        findings.append(Finding(Severity.WARNING, sentence))
    captioned = _numbers(pictures, lambda each: bool(each.caption))
    if not captioned:
        return findings
    if not needs.captions:
        return [*findings, Finding(Severity.HINT, f"{needs.label} makes no use of captions.")]
    if bare := _numbers(pictures, lambda each: not each.caption):
        sentence = f"{_name(bare)} without a caption while others have one: caption all, or none."
        findings.append(Finding(Severity.WARNING, sentence, bare))
    if trigger and not needs.prefix:
        lacking = _numbers(pictures, lambda each: bool(each.caption) and not _has_phrase(each.caption, trigger))
        if lacking:
            whose = "caption of picture" if len(lacking) == 1 else "captions of pictures"
            verb = "lacks" if len(lacking) == 1 else "lack"
            sentence = f"The {whose} {_join(lacking)} {verb} the trigger word “{trigger}”, so it is not tied to them."
            findings.append(Finding(Severity.HINT, sentence, lacking))
    if len(captioned) > 2 and len({pictures[number - 1].caption for number in captioned}) == 1:
        sentence = "All captions are the same: a caption helps where it says what is different about its picture."
        findings.append(Finding(Severity.HINT, sentence, captioned))
    return findings


def _lint_shapes(pictures: Sequence[Facts]) -> list[Finding]:
    longish = _numbers(pictures, lambda each: max(each.ratio, 1 / each.ratio) > _LONG)
    findings: list[Finding] = []
    if longish:
        sentence = f"{_name(longish)} very long and narrow: crop to what matters, or trainers may do so anywhere."
        findings.append(Finding(Severity.HINT, sentence, longish))
    shapes = {_shape(each.ratio) for each in pictures}
    if len(pictures) > 2 and len(shapes) == 1:
        sentence = f"All pictures are {shapes.pop()}: it will draw best in that shape; add others if you want others."
        findings.append(Finding(Severity.HINT, sentence))
    ratios = [each.ratio for each in pictures if max(each.ratio, 1 / each.ratio) <= _LONG]
    if ratios and max(ratios) / min(ratios) > _LONG:
        sentence = "The pictures have very different shapes, from tall to wide: fewer shapes are learned better."
        findings.append(Finding(Severity.HINT, sentence))
    return findings


def _shape(ratio: float) -> str:
    if max(ratio, 1 / ratio) <= _SQUARE:
        return "square"
    return "wide" if ratio > 1 else "tall"


def _numbers(pictures: Sequence[Facts], holds: Callable[[Facts], bool]) -> tuple[int, ...]:
    return tuple(number for number, each in enumerate(pictures, 1) if holds(each))


def _group(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Positions that are joined by pairs, directly or through others, as numbers from 1."""
    groups: list[set[int]] = []
    for one, other in pairs:
        touched = [group for group in groups if one in group or other in group]
        groups = [group for group in groups if group not in touched]
        groups.append({one, other}.union(*touched))
    return sorted(tuple(sorted(position + 1 for position in group)) for group in groups)


def _name(numbers: Sequence[int]) -> str:
    """ "Picture 3 is" or "Pictures 1, 2 and 5 are"."""
    return f"Picture {numbers[0]} is" if len(numbers) == 1 else f"Pictures {_join(numbers)} are"


def _join(parts: Sequence[object]) -> str:
    """A list as a sentence has it; the rest of a long one is counted."""
    shown = [str(part) for part in parts[:_LISTED]]
    if more := len(parts) - len(shown):
        shown.append(f"{more} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _has_phrase(text: str | None, phrase: str) -> bool:
    """Whether the words of a phrase come in a text, one after the other, as whole words."""
    return f" {' '.join(_words(phrase))} " in f" {' '.join(_words(text or ''))} "


def _made_up(word: str) -> str:
    """An example of a word that is none: “cat” becomes “mycat7x”."""
    return f"“my{word[:12]}7x”"
