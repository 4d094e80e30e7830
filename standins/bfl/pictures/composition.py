"""From words and a seed to a picture: which place, in which light, with whom."""

import random
import re
from collections.abc import Callable
from typing import Final

from PIL import Image

from standins.bfl.pictures import animals, scenes, subjects
from standins.bfl.pictures.abstract import ABSTRACTS
from standins.bfl.pictures.canvas import Canvas, stretched
from standins.bfl.pictures.palette import Palette, palette_for
from standins.bfl.pictures.subjects import Subject

Place = Callable[[Canvas, Palette, random.Random], float]
Companion = tuple[Subject, float]  # and how tall it is beside the place

MOST_PIXELS: Final = 2_400_000  # of the sheet that is drawn on
_OVERSIZE: Final = 1.8  # how much larger than the picture it is, if that leaves it below

_PLACES: Final[tuple[tuple[str, Place], ...]] = (
    (r"city|street|skyline|tokyo|town|urban|neon|cyberpunk|building\w*", scenes.city),
    (r"mountains?|alps?|peaks?|valley|forest|woods?|pines?|landscape", scenes.hills),
    (r"sea|ocean|beach|lake|waves?|island|water|harbou?r|coast", scenes.sea),
    (r"space|planets?|galaxy|moon|mars|cosmic|astronaut|nebula|alien", scenes.space),
    (r"meadow|garden|fields?|hills?|village|farm|park|spring", scenes.meadow),
    (r"portrait|headshot|studio|product|logo|icon|sticker", scenes.studio),
)
_SUBJECTS: Final[tuple[tuple[str, Subject, Place, float], ...]] = (
    (r"cats?|kitten\w*|kitty|tiger|lion|tabby", animals.cat, scenes.studio, 0.72),
    (r"fox\w*", animals.fox, scenes.meadow, 0.6),
    (r"dogs?|pupp\w+|corgi|wolf|husky", animals.dog, scenes.studio, 0.7),
    (r"rabbits?|bunn\w+|hare", animals.rabbit, scenes.meadow, 0.6),
    (r"bears?|panda|teddy", animals.bear, scenes.hills, 0.6),
    (r"robots?|android|mech\w*|droid|cyborg|machine", subjects.robot, scenes.city, 0.68),
    (r"flowers?|roses?|tulips?|bouquet|blossom\w*|sunflowers?", subjects.flower, scenes.meadow, 0.68),
    (r"lighthouse", subjects.lighthouse, scenes.sea, 0.62),
    (r"boats?|ships?|sail\w*|yacht|pirate\w*", subjects.boat, scenes.sea, 0.46),
    (r"whales?|fish|dolphin|shark", subjects.fish, scenes.sea, 0.46),
    (r"house|cottage|cabin|home|hut|barn", subjects.cottage, scenes.meadow, 0.46),
    (r"castle|palace|fortress|kingdom", subjects.castle, scenes.hills, 0.56),
    (r"rockets?|spaceship|starship|spacecraft", subjects.rocket, scenes.space, 0.66),
    (r"balloons?|airship|zeppelin", subjects.balloon, scenes.hills, 0.5),
    (r"mushrooms?|toadstool|fairy", subjects.mushroom, scenes.meadow, 0.5),
    (r"trees?|oak|apple|cherry", subjects.tree, scenes.meadow, 0.62),
    (
        r"man|woman|girl|boy|person|people|knight|wizard|witch|warrior|hero\w*|character|queen|king|princess|elf|figure",
        subjects.wanderer,
        scenes.hills,
        0.5,
    ),
)
_COMPANIONS: Final[dict[Place, tuple[Companion, ...]]] = {
    scenes.hills: (
        (subjects.wanderer, 0.4),
        (subjects.balloon, 0.45),
        (subjects.castle, 0.42),
        (animals.fox, 0.4),
    ),
    scenes.meadow: (
        (subjects.tree, 0.55),
        (subjects.cottage, 0.4),
        (animals.rabbit, 0.42),
        (subjects.flower, 0.55),
    ),
    scenes.sea: ((subjects.boat, 0.4), (subjects.lighthouse, 0.55), (subjects.fish, 0.4)),
    scenes.city: ((subjects.robot, 0.5), (animals.cat, 0.42)),
    scenes.space: ((subjects.rocket, 0.55), (subjects.robot, 0.45)),
    scenes.studio: ((animals.cat, 0.66), (subjects.robot, 0.66), (subjects.flower, 0.66), (subjects.mushroom, 0.6)),
}


def compose(prompt: str, seed: str, size: tuple[int, int], *, empty: bool = False) -> Image.Image:
    """Draw a picture of this size, or only its place; `seed` decides all that the words leave open."""
    luck = random.Random(seed)
    scale = min(_OVERSIZE, (MOST_PIXELS / (size[0] * size[1])) ** 0.5)
    sheet = Image.new("RGB", (max(round(size[0] * scale), 2), max(round(size[1] * scale), 2)))
    canvas = Canvas(sheet)
    palette = palette_for(prompt, luck)
    if re.search(r"\b(abstract|pattern|geometric|bauhaus|wallpaper|texture)\b", prompt, re.IGNORECASE):
        luck.choice(ABSTRACTS)(canvas, palette, luck)
    else:
        place, subject, tall = _cast(prompt, luck)
        ground = place(canvas, palette, luck)
        if empty:
            return stretched(sheet, size)
        foot = (canvas.width * luck.uniform(0.44, 0.56), min(ground, canvas.height * 0.94))
        subject(canvas, palette, luck, foot, tall * min(canvas.height, canvas.width * 1.15))
    return stretched(sheet, size)


def _cast(prompt: str, luck: random.Random) -> tuple[Place, Subject, float]:
    place = next((place for words, place in _PLACES if _says(prompt, words)), None)
    for words, subject, home, tall in _SUBJECTS:
        if _says(prompt, words):
            return place or home, subject, tall
    place = place or luck.choice(list(_COMPANIONS))
    subject, tall = luck.choice(_COMPANIONS[place])
    return place, subject, tall


def _says(prompt: str, words: str) -> bool:
    return re.search(rf"\b({words})\b", prompt, re.IGNORECASE) is not None
