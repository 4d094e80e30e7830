"""`/imagine`: a picture from a sentence."""

from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Range
from discord.ext import commands
from discord.ui import TextInput

from bot import limits
from bot.discord.buttons import Answer, Form, Press, acknowledge, given
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.parameters import LARGEST_SEED, Parameter, Value
from bot.values import Frozen
from bot.workflows.base.types import Upload, job_id
from bot.workflows.drawing.generations import STRENGTH
from bot.workflows.drawing.types import MOST_PICTURES, ImageRequest
from cogs.base.asking import attached, check_place, draw
from cogs.base.finding import usable_named
from cogs.drawing.choices import (
    FORMATS,
    MASK,
    Asked,
    check_early,
    image_role,
    painter_named,
    settle_defaults,
    suggest_models,
    suggest_ratios,
    suggest_ready,
)
from storage.base import drafts

DRAFT_LIFE = 1800.0
"""Seconds for which a form may stay open."""
LAST_ASKED = ("prompt_upsampling", "image_prompt_strength", "safety_tolerance", "output_format")
"""Parameters that the command has options for: the form asks for the others first."""

Seed = Range[int, 0, LARGEST_SEED]
Count = Range[int, 1, MOST_PICTURES]
Safety = Range[int, 0, 6]
Strength = Range[float, 0.0, 1.0]


Likeness = Range[float, 0.0, 2.0]


class Draft(Frozen):
    """A request whose form is open. A file that came with it is still Discord's, by its link."""

    request: ImageRequest
    name: str = ""
    url: str | None = None
    size: int = 0
    mask_name: str = ""
    mask_url: str | None = None
    mask_size: int = 0


@dataclass(frozen=True)
class Files:
    """The images that came with a command."""

    reference: discord.Attachment | None
    mask: discord.Attachment | None

    @property
    def given(self) -> set[str]:
        """The options that they are."""
        return {name for name, file in (("reference", self.reference), (MASK, self.mask)) if file}

    def draft(self, request: ImageRequest) -> Draft:
        files: dict[str, Any] = {}
        if self.reference:
            files |= {"name": self.reference.filename, "url": self.reference.url, "size": self.reference.size}
        if self.mask:
            files |= {"mask_name": self.mask.filename, "mask_url": self.mask.url, "mask_size": self.mask.size}
        return Draft(request=request, **files)


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
        prompt: str,
        model: str | None = None,
        aspect_ratio: str | None = None,
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
        finetune: str | None = None,
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
        files = Files(reference, mask)
        if finetune is None:
            asked = Asked(prompt, painter_named(model).key if model else None, chosen, seed, count, spoiler)
            check_early(asked, role=reference is not None)
        elif not prompt.strip():
            raise Refused("Say what to draw: the prompt is empty.")
        else:
            asked = Asked(prompt, model, chosen, seed, count, spoiler)
        if advanced:
            await self._open_form(interaction, asked, finetune, files)
            return
        await acknowledge(interaction, Answer.PUBLIC)
        request = await self._settle(interaction, asked, finetune, files)
        await self._draw(interaction, files.draft(request))

    async def advanced(self, interaction: Interaction, draft_id: str) -> None:
        """The form was sent: the draft goes on with what it says."""
        services = self._client.services
        async with services.kit.database.read() as db:
            content = await drafts.find(
                db, draft_id=draft_id, owner_id=interaction.user.id, now=services.kit.clock.now()
            )
        if content is None:
            raise Refused("This form was open for too long. Please type the command again.")
        draft = Draft.model_validate_json(content)
        chosen: dict[str, Value] = {name: text for name, text in given(interaction).items() if text.strip()}
        request = draft.request.model_copy(update={"parameters": draft.request.parameters | chosen})
        await self._draw(interaction, draft.model_copy(update={"request": request}))

    async def _settle(
        self, interaction: Interaction, asked: Asked, name: str | None, files: Files, *, sized: bool = False
    ) -> ImageRequest:
        """The request with all that was left out. `name` is of the finetune."""
        view = await usable_named(interaction, name) if name else None
        return await settle_defaults(interaction, asked, view, files.given, sized=sized)

    async def _draw(self, interaction: Interaction, draft: Draft) -> None:
        uploads: dict[str, Upload] = {}
        if draft.url is not None:
            role = image_role(catalogue.find(draft.request.model))
            uploads[role] = attached(self._client, draft.url, name=draft.name, size=draft.size)
        if draft.mask_url is not None:
            uploads[MASK] = attached(self._client, draft.mask_url, name=draft.mask_name, size=draft.mask_size)
        await draw(interaction, draft.request, uploads)

    async def _open_form(self, interaction: Interaction, asked: Asked, name: str | None, files: Files) -> None:
        """A form must be the first answer, so it is made from what the database says at once."""
        services, now = self._client.services, self._client.services.kit.clock.now()
        sized = asked.parameters.get("aspect_ratio") is None
        request = await self._settle(interaction, asked, name, files, sized=sized)
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
        draft_id = job_id(interaction.id)
        async with services.kit.database.write() as db:
            await drafts.save(
                db,
                draft_id=draft_id,
                owner_id=interaction.user.id,
                content=files.draft(request).model_dump_json(),
                now=now,
                expires_at=now + DRAFT_LIFE,
            )
        form = Form("img:advanced", draft_id, f"Settings of {model.label}")
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
