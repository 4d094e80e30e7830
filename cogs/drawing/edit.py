"""`/edit`, and “Edit this picture” on a message: a picture is changed as an instruction says."""

import discord
from discord import app_commands
from discord.app_commands import Range
from discord.ext import commands

from bot.discord.attachments import MessageFile, files_of
from bot.discord.buttons import Answer, acknowledge
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.pictures.names import Kind
from bot.providers.parameters import Value
from bot.workflows.base.types import Upload, job_id
from bot.workflows.community.models import INPUT, editor_named
from bot.workflows.drawing.defaults import Asked, check_early
from bot.workflows.drawing.types import ImageRequest, RequestView
from cogs.base.asking import attached, check_place
from cogs.base.finding import IMAGE_ID, check_visible, foreign_message, is_own, pointed_at, pointer
from cogs.base.options import Choice, Pointer, Prompt, Ratio
from cogs.community.choices import FORMATS, Count, suggest_editors, suggest_ratios
from cogs.drawing.asking import draw
from cogs.drawing.buttons import EditedFile, EditedFiles, edit_form
from cogs.drawing.commands import FORM_LIFE, Seed
from cogs.drawing.finding import image_of, request_of

Strictness = Range[int, 0, 2]


class Edit(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(
        instruction="What should be different, in your own words",
        image="The image to change",
        of="Or one of this bot's pictures: its id (such as 3k9x2f-2); or a link to a message with one picture",
        model="Which model does it; each says what it is good for and what a picture costs",
        aspect_ratio="Another shape, width to height; otherwise it stays as it is",
        count="How many results, each with a seed of its own",
        seed="The same seed and instruction give the same result again",
        safety_tolerance="How much the service's moderation lets pass: 0 is strictest",
        output_format="The file format: jpeg is small, png is exact",
        spoiler="Hide the results until they are clicked",
    )
    @app_commands.choices(output_format=FORMATS)
    @app_commands.autocomplete(model=suggest_editors, aspect_ratio=suggest_ratios)
    async def edit(
        self,
        interaction: Interaction,
        instruction: Prompt,
        image: discord.Attachment | None = None,
        of: Pointer | None = None,
        model: Choice | None = None,
        aspect_ratio: Ratio | None = None,
        count: Count = 1,
        seed: Seed | None = None,
        safety_tolerance: Strictness | None = None,
        output_format: str | None = None,
        spoiler: bool = False,
    ) -> None:
        """Change a picture by saying what should be different."""
        if (image is None) == (of is None):
            raise Refused("Say which picture: either attach an image, or name one of the bot's with “of”.")
        parameters = {
            "aspect_ratio": aspect_ratio,
            "safety_tolerance": safety_tolerance,
            "output_format": output_format,
        }
        chosen: dict[str, Value] = {name: value for name, value in parameters.items() if value is not None}
        assert interaction.guild_id, "commands are in communities only"
        named = editor_named(model) if model else None
        check_place(interaction)
        await acknowledge(interaction, Answer.PUBLIC)
        allowed = self._client.services.community.communities.allowed_editors
        key = (named or (await allowed(interaction.guild_id))[0]).key
        check_early(Asked(instruction, key, chosen, seed), role=True)
        request = ImageRequest(
            prompt=instruction, model=key, parameters=chosen, seed=seed, count=count, spoiler=spoiler
        )
        uploads: dict[str, Upload] = {}
        if image is not None:
            uploads[INPUT] = attached(self._client, image)
        else:
            message = await foreign_message(interaction, of or "")
            if message is not None:
                files = _files(message, by_link=not interaction.client.reads_messages)
                if len(files) > 1:
                    several = f"That message has {len(files)} pictures."
                    raise Refused(f"{several} Right-click it › Apps › “Edit this picture” asks which.")
                uploads[INPUT] = attached(self._client, files[0])
                await draw(interaction, request, uploads)
                return
            view, images = await _pictures(interaction, await pointed_at(interaction, of or ""))
            await check_visible(interaction, view.job)
            if len(images) > 1:
                ids = ", ".join(f"`{each}`" for each in images)
                raise Refused(f"That request has {len(images)} pictures. Say which: {ids}.")
            request = request.made_from(view.image(images[0]), role=INPUT)
            request = request.model_copy(update={"spoiler": spoiler or view.request.spoiler})
        await draw(interaction, request, uploads)


async def _pictures(interaction: Interaction, pointed: str) -> tuple[RequestView, list[str]]:
    """The request and the ids of its pictures; of that picture alone where the id is a picture's.

    Raises:
        Refused: there is none.
    """
    if IMAGE_ID.fullmatch(pointed):
        view, image = await image_of(interaction, pointed)
        return view, [image.id]
    view = await request_of(interaction, pointed)
    if not view.images:
        raise Refused("That request has no picture.")
    return view, [image.id for image in view.images]


@app_commands.context_menu(name="Edit this picture")
async def edit_message(interaction: Interaction, message: discord.Message) -> None:
    """The form of “Edit”, for the picture of any message, also a forwarded one."""
    check_place(interaction)
    if is_own(interaction, message):
        _, images = await _pictures(interaction, pointer(interaction, message))
        await interaction.response.send_modal(await edit_form(interaction, images))
        return
    kept = [EditedFile(name=each.name, url=each.url, size=each.size) for each in _files(message)]
    form_id = job_id(interaction.id)
    await interaction.client.services.forms.keep(
        form_id, interaction.user.id, EditedFiles(files=tuple(kept)), seconds=FORM_LIFE
    )
    choices = [str(number) for number in range(len(kept))]
    form = await edit_form(interaction, choices, verb="img:filed", subject=form_id)
    await interaction.response.send_modal(form)


def _files(message: discord.Message, *, by_link: bool = False) -> list[MessageFile]:
    """The pictures of somebody's message. `by_link`: Discord hides from the bot what it has.

    Raises:
        Refused: the message has no picture.
    """
    files = [each for each in files_of(message) if each.is_usable(Kind.PICTURE)]
    if not files and by_link:
        raise Refused(
            "The bot may not read what others have posted by a link. Right-click the message › Apps › “Edit this "
            "picture” works."
        )
    if not files:
        raise Refused("That message has no JPEG, PNG or WebP.")
    return files


async def setup(client: Client) -> None:
    await client.add_cog(Edit(client))
    client.tree.add_command(edit_message)
