"""`/register`, “Register” under a picture, and “Register this picture” on a message: where a registration begins."""

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands
from discord.ui import Select

from bot import limits
from bot.cards.registering.draft import picture_question, registration_draft_card
from bot.discord.buttons import Answer, Form, Press, acknowledge, answered_as, read_fields
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.drawing.types import RequestView
from cogs.base.asking import check_place, origin, reply
from cogs.base.finding import IMAGE_ID, pointed_at, pointer
from cogs.base.options import Pointer
from cogs.drawing.finding import image_of, request_of


async def suggest_pictures(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """The asker's newest pictures here, by their prompts."""
    assert interaction.guild_id, "commands are in communities only"
    registrations = interaction.client.services.registering.registrations
    words = typed.casefold().split()
    choices: list[Choice[str]] = []
    for image_id, prompt in await registrations.newest_pictures(interaction.guild_id, interaction.user.id):
        line = f"{image_id} · {' '.join(prompt.split())}"
        if all(word in line.casefold() for word in words):
            choices.append(Choice(name=line[: limits.CHOICE_CHARACTERS], value=image_id))
    return choices[: limits.CHOICES]


class Register(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(image="One of your pictures: choose it, or give its id (3k9x2f-2) or a link to its message")
    @app_commands.autocomplete(image=suggest_pictures)
    async def register(self, interaction: Interaction, image: Pointer) -> None:
        """Register one of your pictures as IP on Story. You see everything first, and a moderator decides."""
        await start(interaction, await pointed_at(interaction, image))


@app_commands.context_menu(name="Register this picture")
async def register_message(interaction: Interaction, message: discord.Message) -> None:
    """The same for a picture of any of the bot's messages; of several, a form asks which."""
    await start(interaction, pointer(interaction, message))


async def begin_draft(interaction: Interaction, image_id: str) -> None:
    """The draft of one picture, as a message that only its member sees."""
    _check_possible(interaction)
    await image_of(interaction, image_id)
    await _show_draft(interaction, image_id)


async def send_choice(interaction: Interaction, _: str) -> None:
    """The form was sent."""
    await begin_draft(interaction, read_fields(interaction)["picture"])


async def start(interaction: Interaction, subject: str) -> None:
    """From the id of a request or picture to its draft, or to a form that asks which picture.

    Where Discord had to be asked which message a link leads to, it is too late for a form: buttons ask instead.
    """
    _check_possible(interaction)
    if IMAGE_ID.fullmatch(subject):
        await image_of(interaction, subject)
        image_id = subject
    else:
        view = await request_of(interaction, subject)
        if not view.images:
            raise Refused("That request has no picture that could be registered.")
        if len(view.images) > 1 and answered_as(interaction) is not None:
            await reply(interaction, picture_question(view))
            return
        if len(view.images) > 1:
            await interaction.response.send_modal(_choice_form(view))
            return
        image_id = view.images[0].id
    if answered_as(interaction) is None:
        await acknowledge(interaction, Answer.PRIVATE)
    await image_of(interaction, image_id)  # once more, now that Discord may be asked
    await _show_draft(interaction, image_id)


def _choice_form(view: RequestView) -> Form:
    form = Form("reg:chosen", view.job.id, "Register a picture")
    options = [
        discord.SelectOption(
            label=f"Picture {place}",
            value=image.id,
            description=f"{image.width} × {image.height}" + (f", seed {image.seed}" if image.seed is not None else ""),
            default=place == 1,
        )
        for place, image in enumerate(view.images[: limits.CHOICES], 1)
    ]
    form.ask("picture", "Which picture?", Select[Form](options=options), "You see everything before you submit it.")
    return form


async def _show_draft(interaction: Interaction, image_id: str) -> None:
    """Take up the member's draft of a picture, or begin one."""
    services = interaction.client.services
    name = interaction.user.display_name
    view = await services.registering.registrations.begin(origin(interaction), image_id, name=name)
    await reply(interaction, registration_draft_card(view, services.kit.files))


def _check_possible(interaction: Interaction) -> None:
    """Before anybody writes a word: registration is set up, and its card could be posted here.

    Raises:
        Refused: one of them is not so.
    """
    interaction.client.services.registering.registrations.check_offered()
    check_place(interaction)


async def setup(client: Client) -> None:
    for verb, press in {
        "reg:begin": Press(begin_draft),
        "reg:choose": Press(start, Answer.FORM),
        "reg:chosen": Press(send_choice),
    }.items():
        client.presses.register(verb, press)
    await client.add_cog(Register(client))
    client.tree.add_command(register_message)
