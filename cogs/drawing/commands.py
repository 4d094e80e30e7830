"""`/imagine`: a picture from a sentence."""

from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands
from discord.ui import TextInput

from bot import limits
from bot.discord.attachments import MessageFile, name_of
from bot.discord.buttons import Answer, Form, Press, Subject, acknowledge, read_fields
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.parameters import LARGEST_SEED, Parameter, Value
from bot.values import Frozen
from bot.workflows.base.types import Upload, job_id
from bot.workflows.community.models import painter_named, painters
from bot.workflows.drawing.defaults import MASK, Asked, check_early, image_role
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.finetuning.types import STRENGTH
from cogs.base import options
from cogs.base.asking import attached, check_place, origin
from cogs.base.options import Prompt, Ratio
from cogs.community.choices import FORMATS, Count, Safety, suggest_of, suggest_ratios
from cogs.drawing.asking import draw
from cogs.finetuning.choices import models_of, suggest_ready
from cogs.finetuning.finding import usable_named

FORM_LIFE = 1800.0
"""Seconds for which a form may stay open."""
LAST_ASKED = ("prompt_upsampling", "image_prompt_strength", "safety_tolerance", "output_format")
"""Parameters that the command has options for: the form asks for the others first."""

Seed = Range[int, 0, LARGEST_SEED]
Strength = Range[float, 0.0, 1.0]
Likeness = Range[float, 0.0, 2.0]


class Draft(Frozen):
    """A request with the files that came with it, also while its form is open. They are still Discord's, by link."""

    request: ImageRequest
    name: str = ""
    url: str | None = None
    size: int = 0
    mask_name: str = ""
    mask_url: str | None = None
    mask_size: int = 0


@dataclass(frozen=True)
class Attachments:
    """The images that came with a command."""

    reference: discord.Attachment | None
    mask: discord.Attachment | None

    @property
    def options(self) -> set[str]:
        """The options that they are."""
        return {name for name, file in (("reference", self.reference), (MASK, self.mask)) if file}

    def with_request(self, request: ImageRequest) -> Draft:
        files: dict[str, Any] = {}
        if self.reference:
            files |= {"name": name_of(self.reference), "url": self.reference.url, "size": self.reference.size}
        if self.mask:
            files |= {"mask_name": name_of(self.mask), "mask_url": self.mask.url, "mask_size": self.mask.size}
        return Draft(request=request, **files)


async def suggest_models(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """Those that draw with the finetune that is chosen already, or else those that need none."""
    models = await models_of(interaction, interaction.namespace.finetune)
    return await suggest_of(interaction, models or painters(), typed)


class Imagine(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(
        prompt="What to draw, in your own words",
        model="Which model draws; each says what it is good for and what a picture costs",
        aspect_ratio="The shape, width to height: choose one or type your own, such as 7:5",
        count="How many pictures, each with a seed of its own",
        seed="The same seed, prompt and settings give the same picture again",
        reference="An image: its look is mixed in, it is edited, or its outlines or depth are kept, as the model does",
        reference_strength="How much the reference counts against the words: 0 to 1",
        finetune="One of this server's finetunes: its character, product or style is in the picture",
        finetune_strength="0 to 2. Raise it if the likeness is weak; lower it if pictures look distorted",
        mask="Black and white, as large as “reference”: white is drawn anew. For FLUX.1 Fill finetunes",
        raw="Less processed, more like a candid photograph",
        prompt_upsampling="Let the service elaborate on your prompt: more surprising, less literal",
        safety_tolerance="How much the service's moderation lets pass: 0 is strictest; your server sets the most",
        output_format="The file format: jpeg is small, png is exact",
        spoiler="Hide the pictures until they are clicked",
        advanced="Ask for this model's other settings in a form",
    )
    @app_commands.choices(output_format=FORMATS)
    @app_commands.autocomplete(model=suggest_models, finetune=suggest_ready, aspect_ratio=suggest_ratios)
    async def imagine(
        self,
        interaction: Interaction,
        prompt: Prompt,
        model: options.Choice | None = None,
        aspect_ratio: Ratio | None = None,
        count: Count | None = None,
        seed: Seed | None = None,
        reference: discord.Attachment | None = None,
        reference_strength: Strength | None = None,
        raw: bool | None = None,
        prompt_upsampling: bool | None = None,
        safety_tolerance: Safety | None = None,
        output_format: str | None = None,
        spoiler: bool | None = None,
        advanced: bool = False,
        finetune: options.Choice | None = None,
        finetune_strength: Likeness | None = None,
        mask: discord.Attachment | None = None,
    ) -> None:
        """Draw pictures from a sentence."""
        if reference_strength is not None and reference is None:
            raise Refused("“reference_strength” needs a “reference”: attach an image.")
        if finetune is None and (finetune_strength is not None or mask is not None):
            raise Refused("“finetune_strength” and “mask” need a “finetune”: choose one.")
        parameters = {
            "aspect_ratio": aspect_ratio,
            "image_prompt_strength": reference_strength,
            "raw": raw,
            "prompt_upsampling": prompt_upsampling,
            "safety_tolerance": safety_tolerance,
            "output_format": output_format,
            STRENGTH: finetune_strength,
        }
        chosen: dict[str, Value] = {name: value for name, value in parameters.items() if value is not None}
        check_place(interaction)
        files = Attachments(reference, mask)
        if finetune is None:
            key = painter_named(model).key if model else None
            asked = Asked(prompt, key, chosen, seed, count, spoiler, files.options)
            check_early(asked, role=reference is not None)
        elif not prompt.strip():
            raise Refused("Say what to draw: the prompt is empty.")
        else:
            asked = Asked(prompt, model, chosen, seed, count, spoiler, files.options)
        if advanced:
            await self._open_form(interaction, asked, finetune, files)
            return
        await acknowledge(interaction, Answer.PUBLIC)
        request = await self._compose(interaction, asked, finetune)
        await self._draw(interaction, files.with_request(request))

    async def advanced(self, interaction: Interaction, form_id: Subject) -> None:
        """The form was sent: the request that was kept goes on with what it says."""
        draft = await self._client.services.forms.find(form_id, interaction.user.id, Draft)
        if draft is None:
            raise Refused("This form was open for too long. Please type the command again.")
        chosen: dict[str, Value] = {name: text for name, text in read_fields(interaction).items() if text.strip()}
        request = draft.request.model_copy(update={"parameters": draft.request.parameters | chosen})
        await self._draw(interaction, draft.model_copy(update={"request": request}))

    async def _compose(
        self, interaction: Interaction, asked: Asked, finetune_name: str | None, *, sized: bool = False
    ) -> ImageRequest:
        """The request with all that was left out."""
        view = await usable_named(interaction, finetune_name) if finetune_name else None
        return await self._client.services.drawing.requests.compose(origin(interaction), asked, view, sized=sized)

    async def _draw(self, interaction: Interaction, draft: Draft) -> None:
        uploads: dict[str, Upload] = {}
        if draft.url is not None:
            role = image_role(catalogue.find(draft.request.model))
            uploads[role] = attached(self._client, MessageFile(draft.name, draft.url, draft.size))
        if draft.mask_url is not None:
            uploads[MASK] = attached(self._client, MessageFile(draft.mask_name, draft.mask_url, draft.mask_size))
        await draw(interaction, draft.request, uploads)

    async def _open_form(
        self, interaction: Interaction, asked: Asked, finetune_name: str | None, files: Attachments
    ) -> None:
        """A form must be the first answer, so it is made from what the database says at once."""
        sized = asked.parameters.get("aspect_ratio") is None
        request = await self._compose(interaction, asked, finetune_name, sized=sized)
        model = catalogue.find(request.model)
        open_ones = [
            parameter
            for parameter in sorted(model.parameters, key=lambda each: each.name in LAST_ASKED)
            if parameter.advanced
            and parameter.name not in asked.parameters
            and (parameter.name != "image_prompt_strength" or files.reference)
            and not (parameter.name in {"width", "height"} and "aspect_ratio" in request.parameters)
        ]
        if not open_ones:
            raise Refused(f"{model.label} has no other settings. Leave out “advanced”.")
        form_id, draft = job_id(interaction.id), files.with_request(request)
        await self._client.services.forms.keep(form_id, interaction.user.id, draft, seconds=FORM_LIFE)
        form = Form("img:advanced", form_id, f"Settings of {model.label}")
        for parameter in open_ones[: limits.FORM_FIELDS]:
            form.ask(parameter.name, parameter.label, _field(parameter), parameter.help)
        await interaction.response.send_modal(form)


def _field(parameter: Parameter) -> TextInput[Form]:
    usual = f"; usually {_shown(parameter.default)}" if parameter.default is not None else ""
    return TextInput(required=False, max_length=40, placeholder=f"{parameter.range}{usual}"[: limits.HINT_CHARACTERS])


def _shown(value: Value) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


async def setup(client: Client) -> None:
    cog = Imagine(client)
    client.presses.register("img:advanced", Press(cog.advanced, Answer.PUBLIC))
    await client.add_cog(cog)
