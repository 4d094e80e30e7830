"""The models of Astria, as data. Ranges: docs.astria.ai; where it names none, the one here is ours."""

from bot.providers.bfl_parameters import strength
from bot.providers.interface import MicroUSD
from bot.providers.parameters import Kind, Model, Parameter, Pool, Price, Role, Seconds

FLUX_DEV = 1504944
"""The tune of Flux1.dev, on which every Flux LoRA is drawn (docs.astria.ai)."""
POOL = Pool("astria", 8)
"""Astria names no limit on prompts under way, and answers 429 to tight polling: ours."""

RATIOS = ("1:1", "16:9", "9:16", "21:9", "9:21", "3:2", "2:3", "5:4", "4:5", "4:3", "3:4")

MODELS = (
    Model(
        key="astria-flux",
        label="FLUX.1 [dev] at Astria with a finetune",
        good_for="Your finetune, trained at Astria.",
        path=f"/tunes/{FLUX_DEV}/prompts",
        provider="astria",
        price=Price(MicroUSD(25_000), MicroUSD(0)),
        price_guessed=True,
        seconds=Seconds(15, 30, 90),
        pools=(POOL,),
        parameters=(
            strength(1.0),
            Parameter(
                name="aspect_ratio",
                label="Aspect ratio",
                kind=Kind.CHOICE,
                choices=RATIOS,
                help="The shape of the picture, width to height.",
            ),
            Parameter(
                name="seed",
                label="Seed",
                kind=Kind.INTEGER,
                minimum=0,
                maximum=2**32 - 1,
                help="The same seed, prompt and settings give the same picture again.",
            ),
        ),
        roles=(Role(name="input_image", label="Input image", help="An image whose composition or lines are kept."),),
        finetuned=True,
        regions=(),
    ),
)
