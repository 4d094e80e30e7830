"""`/register`, “Register” under a picture, and “Register this picture” on a message: where a registration begins."""

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands
from discord.ui import Select

from bot import limits
from bot.cards.registering.draft import registration_draft_card
from bot.discord.buttons import Answer, Form, Press, acknowledge, given
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.drawing.types import ImageRequest
from cogs.base.asking import check_place, origin, reply
from cogs.base.finding import IMAGE_ID, image_of, pointed_at, pointer, request_of
from storage.drawing import images
from storage.drawing.images import Image


async def suggest_pictures(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """The asker's newest pictures here, by their prompts."""
    assert interaction.guild_id, "commands are in communities only"
    async with interaction.client.services.kit.database.read() as db:
        found = await images.newest(db, guild_id=interaction.guild_id, owner_id=interaction.user.id, limit=100)
    words = typed.casefold().split()
    choices: list[Choice[str]] = []
    for image, request in found:
        prompt = " ".join(ImageRequest.model_validate_json(request).prompt.split())
        if all(word in f"{image.id} {prompt}".casefold() for word in words):
            choices.append(Choice(name=f"{image.id} · {prompt}"[: limits.CHOICE_CHARACTERS], value=image.id))
    return choices[: limits.CHOICES]


class Register(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(image="One of your pictures: choose it, or give its id (3k9x2f-2) or a link to its message")
    @app_commands.autocomplete(image=suggest_pictures)
    async def register(self, interaction: Interaction, image: str) -> None:
        """Register one of your pictures as IP on Story. You see everything first, and a moderator decides."""
        await _start(interaction, await pointed_at(interaction, image))


@app_commands.context_menu(name="Register this picture")
async def register_message(interaction: Interaction, message: discord.Message) -> None:
    """The same for a picture of any of the bot's messages; of several, a form asks which."""
    await _start(interaction, pointer(interaction, message))


async def begin(interaction: Interaction, image_id: str) -> None:
    """The draft of one picture, as a message that only its member sees."""
    _check_can_be(interaction)
    _, image = await image_of(interaction, image_id)
    await _draft(interaction, image)


async def choose(interaction: Interaction, job_id: str) -> None:
    """Under several pictures: which one."""
    await _start(interaction, job_id)


async def chosen(interaction: Interaction, _: str) -> None:
    """The form was sent."""
    await begin(interaction, given(interaction)["picture"])


async def _start(interaction: Interaction, found: str) -> None:
    """From the id of a request or picture to its draft, or to a form that asks which picture."""
    _check_can_be(interaction)
    if IMAGE_ID.fullmatch(found):
        _, image = await image_of(interaction, found)
        pictures: Sequence[Image] = [image]
    else:
        view = await request_of(interaction, found)
        pictures = view.images
    if not pictures:
        raise Refused("That request has no picture that could be registered.")
    if len(pictures) > 1:
        await interaction.response.send_modal(_choice(pictures))
        return
    await acknowledge(interaction, Answer.PRIVATE)
    await _draft(interaction, pictures[0])


def _choice(pictures: Sequence[Image]) -> Form:
    form = Form("reg:chosen", pictures[0].job_id, "Register a picture")
    options = [
        discord.SelectOption(
            label=f"Picture {place}",
            value=image.id,
            description=f"{image.width} × {image.height}" + (f", seed {image.seed}" if image.seed is not None else ""),
            default=place == 1,
        )
        for place, image in enumerate(pictures[: limits.CHOICES], 1)
    ]
    form.ask("picture", "Which picture?", Select[Form](options=options), "You see everything before you submit it.")
    return form


async def _draft(interaction: Interaction, image: Image) -> None:
    """Take up the member's draft of it, or begin one."""
    services = interaction.client.services
    name = interaction.user.display_name
    view = await services.registering.registrations.begin(origin(interaction), image.id, name=name)
    await reply(interaction, registration_draft_card(view, services.kit.files))


def _check_can_be(interaction: Interaction) -> None:
    """Before anybody writes a word: registration is set up, and its card could be posted here.

    Raises:
        Refused: one of them is not so.
    """
    interaction.client.services.registering.registrations.check_offered()
    check_place(interaction)


async def setup(client: Client) -> None:
    for verb, press in {
        "reg:begin": Press(begin),
        "reg:choose": Press(choose, Answer.FORM),
        "reg:chosen": Press(chosen),
    }.items():
        client.presses.register(verb, press)
    await client.add_cog(Register(client))
    client.tree.add_command(register_message)
