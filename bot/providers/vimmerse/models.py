"""The models of Vimmerse that draw with a finetune, as data. Source: Vimmerse's OpenAPI document.

It names no seed and no strength, and publishes no prices.
"""

from bot.providers.interface import MicroUSD
from bot.providers.parameters import Kind, Model, Parameter, Pool, Price, Role, Seconds

POOL = Pool("vimmerse", 4)
"""Vimmerse names no limit: ours."""
RATIOS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")
"""Those it lists; its pattern for text-2-image would let any ratio pass."""


def _ratio(words: str, default: str | None = None) -> Parameter:
    return Parameter(
        name="aspect_ratio", label="Aspect ratio", kind=Kind.CHOICE, choices=RATIOS, default=default, help=words
    )


_CREATIVITY = Parameter(
    name="creativity_strength",
    label="Creativity",
    kind=Kind.INTEGER,
    minimum=1,
    maximum=10,
    default=5,
    help="Low keeps to the prompt, high varies more.",
    advanced=True,
)
_ENHANCE = Parameter(
    name="enhance_image",
    label="Enhance",
    kind=Kind.BOOLEAN,
    default=False,
    help="Sharpens the finished picture; its size stays the same.",
    advanced=True,
)

MODELS = (
    Model(
        key="vimmerse-flux",
        label="FLUX at Vimmerse with a finetune",
        good_for="Your finetune, trained at Vimmerse.",
        path="/image/text-2-image",
        provider="vimmerse",
        price=Price(MicroUSD(50_000), MicroUSD(0)),
        price_guessed=True,
        least_pause=2.0,
        seconds=Seconds(10, 25, 90),
        pools=(POOL,),
        parameters=(_ratio("The shape of the picture, width to height.", "16:9"), _CREATIVITY, _ENHANCE),
        finetuned=True,
        regions=(),
    ),
    Model(
        key="vimmerse-kontext",
        label="FLUX Kontext at Vimmerse with a finetune",
        good_for="The edit that your finetune has learned, on another picture.",
        path="/image/image-2-image",
        provider="vimmerse",
        price=Price(MicroUSD(50_000), MicroUSD(0)),
        price_guessed=True,
        least_pause=2.0,
        seconds=Seconds(10, 25, 90),
        pools=(POOL,),
        parameters=(
            _ratio("The shape of the picture, width to height; that of your image where you choose none."),
            _CREATIVITY,
            _ENHANCE,
        ),
        roles=(Role(name="image_file", label="Image", required=True, help="The image to edit."),),
        prompt_needed=False,  # what it does is learned; its trigger word is the least that is sent
        finetuned=True,
        regions=(),
    ),
)
