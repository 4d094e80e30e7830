"""What is said about a training set before it is paid for."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw, ImageEnhance

from bot.pictures.fingerprint import look_alike, take_fingerprint
from bot.pictures.training_sets.linting import Facts, Finding, Needs, Severity, lint
from tests.pictures.test_pictures import load, noise, save

# Copies.


def scene(seed: int, *, paper: str = "beige") -> Image.Image:
    """A still life of twelve things, everywhere else for another seed."""
    chance = random.Random(seed)
    image = Image.new("RGB", (600, 400), paper)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, size = chance.randrange(-50, 550), chance.randrange(-50, 350), chance.randrange(60, 240)
        colour = tuple(chance.randrange(256) for _ in range(3))
        (draw.ellipse if chance.random() < 0.5 else draw.rectangle)((x, y, x + size, y + size * 0.7), fill=colour)
    return Image.blend(image, noise(600, 400), 0.08)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": lambda image: load(save(image, "JPEG", quality=30)),
    "half the size": lambda image: image.reduce(2),
    "cropped a little": lambda image: image.crop((9, 6, 591, 394)),
    "lighter": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.3),
    "a WebP": lambda image: load(save(image, "WEBP", quality=60)),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_found(copy: str) -> None:
    missed = [
        seed
        for seed in range(30)
        if not look_alike(take_fingerprint(scene(seed)), take_fingerprint(COPIES[copy](scene(seed)).convert("RGB")))
    ]
    assert len(missed) <= 1, missed


def test_other_pictures_are_not_taken_for_copies() -> None:
    prints = [take_fingerprint(scene(seed)) for seed in range(40)]

    assert not [(a, b) for a in range(40) for b in range(a) if look_alike(prints[a], prints[b])]


def test_other_views_of_a_scene_are_not_taken_for_copies() -> None:
    mistaken = 0
    for seed in range(30):
        views = [scene(seed).crop((x, y, x + 400, y + 270)) for x, y in ((0, 0), (100, 60), (200, 130))]
        prints = [take_fingerprint(view) for view in views]
        mistaken += look_alike(prints[0], prints[1]) + look_alike(prints[1], prints[2])
    assert mistaken == 0


def test_the_same_mug_in_another_colour_is_another_picture() -> None:
    def mug(colour: str) -> str:
        image = Image.new("RGB", (400, 400), "white")
        ImageDraw.Draw(image).rounded_rectangle((100, 80, 300, 330), 20, fill=colour)
        return take_fingerprint(image)

    assert look_alike(mug("#c02020"), mug("#b82424"))
    assert not look_alike(mug("#c02020"), mug("#2040c0"))


# What is said about a set.

FINE = [
    Facts(
        f"{number}.jpg", 1200 if number % 2 else 800, 800 if number % 2 else 1200, f"{number:032x}808080", f"{number}"
    )
    for number in (0x0F0F << 40, 0xFFFF << 64, 0xF00F << 90, 0x1 << 120 | 0xFFF, 0xABCDEF << 8, 0x777777 << 70)
]
NEEDS = Needs(label="Astria", fewest=4, advised=6, least_side=512)


def find_finding(findings: tuple[Finding, ...], words: str) -> Finding:
    return next(finding for finding in findings if words in finding.sentence)


def test_a_good_set_is_not_talked_about() -> None:
    captioned = [replace(each, caption=f"mycat7, pose {number}") for number, each in enumerate(FINE)]

    assert lint(FINE, NEEDS, trigger="mycat7") == ()
    assert lint(captioned, NEEDS, trigger="mycat7", taken_triggers={"mydog7"}) == ()


@pytest.mark.parametrize(
    ("count", "needs", "severity", "words"),
    [
        (0, NEEDS, Severity.ERROR, "Astria needs at least 4 pictures; there are none."),
        (1, NEEDS, Severity.ERROR, "Astria needs at least 4 pictures; there is 1."),
        (0, Needs(label="BFL"), Severity.ERROR, "BFL needs at least 1 picture; there are none."),
        (5, NEEDS, Severity.WARNING, "It works with 5, but 6 or more pictures are advised"),
        (21, NEEDS, Severity.ERROR, "Astria takes at most 20 pictures; there are 21"),
        (5, Needs(label="Vimmerse", pairs=True), Severity.ERROR, "there are 5 pictures, so one is alone"),
    ],
)
def test_the_number_of_pictures_is_judged(count: int, needs: Needs, severity: Severity, words: str) -> None:
    findings = lint((FINE * 4)[:count], needs)

    assert find_finding(findings, words).severity is severity
    graveness = [list(Severity).index(finding.severity) for finding in findings]
    assert graveness == sorted(graveness)


def test_small_pictures_are_named_by_number() -> None:
    set_ = [FINE[0], replace(FINE[1], width=400, height=600), replace(FINE[2], width=640, height=600), *FINE[3:]]

    findings = lint(set_, NEEDS)

    assert find_finding(findings, "Picture 2 is smaller than 512 pixels on the shorter side").pictures == (2,)
    assert find_finding(findings, "Picture 3 is below half a megapixel, and nothing is enlarged").pictures == (3,)


def test_copies_are_named_by_number() -> None:
    nearly = replace(FINE[1], sha256="another", fingerprint=f"{(0xFFFE << 64):032x}818080")
    findings = lint([*FINE, FINE[0], nearly], NEEDS)

    assert find_finding(findings, "Pictures 1 and 7 are the same file").pictures == (1, 7)
    twice = "Pictures 2 and 8 are nearly the same picture; keep one: what is there twice is learned twice."
    assert find_finding(findings, twice).pictures == (2, 8)
    assert find_finding(lint([FINE[0]] * 3, NEEDS), "Pictures 1, 2 and 3 are the same file").pictures == (1, 2, 3)


def test_before_and_after_may_look_alike() -> None:
    pair = [FINE[1], replace(FINE[1], sha256="another")]
    needs = Needs(label="Vimmerse", fewest=2, advised=2, pairs=True)

    assert not [finding for finding in lint(pair, needs) if "same" in finding.sentence]
    assert find_finding(lint([FINE[1], FINE[1]], needs), "Pictures 1 and 2 are the same file")


def test_captions_are_judged_together() -> None:
    set_ = [replace(each, caption="a photo of MyCat7, asleep") for each in FINE[:3]]
    set_ += [replace(FINE[3], caption="a mycat77"), replace(FINE[4], caption=""), FINE[5]]

    findings = lint(set_, NEEDS, trigger="mycat7", captions_alone=["dog.txt", "b.txt"])

    assert find_finding(findings, "No picture has the name of “dog.txt” and “b.txt”").severity is Severity.WARNING
    assert find_finding(findings, "Pictures 5 and 6 are without a caption while others have one").pictures == (5, 6)
    assert find_finding(findings, "The caption of picture 4 lacks the trigger word “mycat7”").pictures == (4,)


def test_captions_that_are_no_use_are_said_to_be_so() -> None:
    same = [replace(each, caption="mycat7") for each in FINE]

    assert find_finding(lint(same, NEEDS), "All captions are the same").severity is Severity.HINT
    assert (
        find_finding(lint(same, replace(NEEDS, captions=False)), "Astria makes no use of captions").severity
        is Severity.HINT
    )


@pytest.mark.parametrize(
    ("trigger", "severity", "words"),
    [
        ("cat", Severity.WARNING, "“cat” is an ordinary word that the model knows already: make one up"),
        ("Red Dragon", Severity.WARNING, "“Red Dragon” is made of ordinary words"),
        ("TOK", Severity.HINT, "“TOK” is what trainers use when nothing is chosen"),
        ("ohwx", Severity.HINT, "it works, but a word of your own tells more"),
        ("zq", Severity.WARNING, "“zq” is so short"),
        ("MyDog7", Severity.WARNING, "“MyDog7” is the trigger word of another finetune in this server"),
    ],
)
def test_a_trigger_word_that_will_not_do_is_explained(trigger: str, severity: Severity, words: str) -> None:
    (finding,) = lint(FINE, NEEDS, trigger=trigger, taken_triggers=["mydog7"])

    assert words in finding.sentence
    assert finding.severity is severity


@pytest.mark.parametrize("trigger", ["mycstm sunglasses", "mydragon", "", "zwx-12"])
def test_a_trigger_word_with_something_of_its_own_is_fine(trigger: str) -> None:
    assert lint(FINE, NEEDS, trigger=trigger) == ()


def test_the_beginning_of_a_trigger_word_may_be_ordinary() -> None:
    assert lint(FINE, replace(NEEDS, prefix=True), trigger="dragon") == ()


def test_shapes_are_judged() -> None:
    tall = [replace(each, width=800, height=1000) for each in FINE]
    mixed = [*FINE[:5], replace(FINE[5], width=3000, height=600)]
    wide_and_tall = [replace(FINE[0], width=2000, height=1000), replace(FINE[1], width=1000, height=2000), *FINE[2:]]

    assert "All pictures are tall: it will draw best in that shape" in lint(tall, NEEDS)[0].sentence
    assert find_finding(lint(mixed, NEEDS), "Picture 6 is very long and narrow").pictures == (6,)
    assert find_finding(lint(wide_and_tall, NEEDS), "very different shapes").severity is Severity.HINT


def test_every_finding_is_one_sentence() -> None:
    bad = [replace(each, width=300, height=301, caption="x", sha256="same") for each in FINE * 3]
    for needs in (NEEDS, replace(NEEDS, pairs=True, most=5), replace(NEEDS, captions=False)):
        for finding in lint(bad, needs, trigger="cat", captions_alone=["a"] * 9):
            assert finding.sentence.endswith(".")
            assert finding.sentence[0].isupper() or finding.sentence.startswith("“")
            assert len(finding.sentence) < 200
