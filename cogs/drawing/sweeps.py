"""Drawing with a finetune from its card: a first picture, and a comparison of strengths with its price first."""

from typing import Any, cast

import discord
from discord import app_commands
from discord.app_commands import Range
from discord.ui import FileUpload, TextInput

from bot import limits
from bot.cards.drawing.sweep import sweep_offer
from bot.discord.buttons import Answer, Form, Press, Subject, acknowledge, read_fields, read_files
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.parameters import Model
from bot.values import split_numbers
from bot.workflows.base.types import Upload, job_id
from bot.workflows.drawing.defaults import Asked, image_role
from bot.workflows.drawing.generations import choose_seeds, sweep_of
from bot.workflows.drawing.types import MOST_SWEPT, ImageRequest
from bot.workflows.finetuning.types import STRENGTH, FinetuneView, usual_model
from cogs.base.asking import attached, check_place, origin, reply
from cogs.base.options import Choice, Prompt
from cogs.drawing.asking import draw
from cogs.finetuning.choices import suggest_ready
from cogs.finetuning.finding import usable_named, usable_of

MOST_STRENGTHS = 100
"""Characters of a list of strengths."""
Strengths = Range[str, 1, MOST_STRENGTHS]
OFFER_LIFE = 3600.0
"""Seconds for which an offer can be taken."""
SEEDS = 2
"""Seeds of a comparison, where nobody says how many."""
_AROUND = (-0.4, -0.2, 0.0, 0.2)
"""Strengths that are compared, about the usual one."""


async def open_try(interaction: Interaction, finetune_id: str) -> None:
    view = await usable_of(interaction, finetune_id)
    model = catalogue.find(usual_model(view))
    form = Form("fin:tried", finetune_id, f"Draw with “{view.finetune.name}”")
    form.ask("prompt", "What to draw", _prompt(model, required=model.prompt_needed))
    if any(role.required for role in model.roles):
        form.ask("picture", "The picture to change", FileUpload[Form](max_values=1))
    await interaction.response.send_modal(form)


async def tried(interaction: Interaction, finetune_id: str) -> None:
    view = await usable_of(interaction, finetune_id)
    given_files = read_files(interaction).get("picture", [])
    pictures = {"reference"} if given_files else set[str]()
    asked = Asked(read_fields(interaction)["prompt"], usual_model(view), {}, pictures=pictures)
    request = await interaction.client.services.drawing.requests.compose(origin(interaction), asked, view)
    uploads: dict[str, Upload] = {}
    for file in given_files:
        role = image_role(catalogue.find(request.model))
        uploads[role] = attached(interaction.client, file)
    await draw(interaction, request, uploads)


async def open_sweep(interaction: Interaction, finetune_id: str) -> None:
    view = await usable_of(interaction, finetune_id)
    model = _comparable(view)
    usual = " ".join(f"{strength:g}" for strength in _usual_strengths(view, model))
    form = Form("fin:swept", finetune_id, "Compare strengths")
    form.ask("prompt", "What to draw", _prompt(model), "The same for every picture.")
    form.ask(
        "strengths",
        "Strengths",
        TextInput[Form](default=usual, max_length=MOST_STRENGTHS),
        "0 to 2, with spaces between.",
    )
    form.ask(
        "seeds",
        "How many seeds",
        TextInput[Form](default=str(SEEDS), max_length=2),
        f"Strengths times seeds is how many pictures: at most {MOST_SWEPT}. The price comes next.",
    )
    await interaction.response.send_modal(form)


async def swept(interaction: Interaction, finetune_id: str) -> None:
    fields = read_fields(interaction)
    if not fields["seeds"].strip().isdecimal():
        raise Refused("Say how many seeds, as a number such as 2.")
    view = await usable_of(interaction, finetune_id)
    await offer_sweep(interaction, view, fields["prompt"], fields["strengths"], int(fields["seeds"]))


@app_commands.command()
@app_commands.describe(
    name="Which finetune",
    prompt="What to draw, the same for every picture",
    strengths="Up to 2, with spaces between, such as: 0.8 1.0 1.2 1.4",
    seeds="How many seeds for each strength; strengths times seeds is at most 12 pictures",
)
@app_commands.autocomplete(name=suggest_ready)
async def sweep(
    interaction: Interaction,
    name: Choice,
    prompt: Prompt,
    strengths: Strengths | None = None,
    seeds: Range[int, 1, MOST_SWEPT] = SEEDS,
) -> None:
    """Compare strengths of a finetune side by side. The price comes first."""
    await acknowledge(interaction, Answer.PRIVATE)
    await offer_sweep(interaction, await usable_named(interaction, name), prompt, strengths, seeds)


async def offer_sweep(
    interaction: Interaction, view: FinetuneView, prompt: str, strengths: str | None, seeds: int
) -> None:
    """Show what a comparison would cost, privately; the button on it draws it for all to see.

    Raises:
        Refused: the finetune has no strength, or too many pictures would be drawn.
    """
    check_place(interaction)
    services = interaction.client.services
    model = _comparable(view)
    if not 1 <= seeds <= MOST_SWEPT:
        raise Refused(f"The number of seeds must be between 1 and {MOST_SWEPT}.")
    chosen = _read_strengths(strengths, model) if strengths and strengths.strip() else _usual_strengths(view, model)
    request = await services.drawing.requests.compose(origin(interaction), Asked(prompt, model.key, {}), view)
    compared = sweep_of(chosen, choose_seeds(model.key, seeds))
    checked = await services.drawing.requests.check(
        origin(interaction), request.model_copy(update={"sweep": compared, "count": 1})
    )
    offer_id = job_id(interaction.id)
    await services.forms.keep(offer_id, interaction.user.id, checked.request, seconds=OFFER_LIFE)
    await reply(interaction, sweep_offer(checked.request, checked.price, model.price_guessed, offer_id))


async def draw_offered(interaction: Interaction, offer_id: Subject) -> None:
    """Draw what was offered. An offer is taken once: a second press of its button draws nothing."""
    request = await interaction.client.services.forms.take(offer_id, interaction.user.id, ImageRequest)
    if request is None:
        raise Refused("This offer was taken already, or is too old. Compare strengths anew for another.")
    await draw(interaction, request)


def _prompt(model: Model, *, required: bool = True) -> TextInput[Form]:
    return TextInput(
        style=discord.TextStyle.paragraph,
        max_length=min(model.prompt_limit, limits.FIELD_CHARACTERS),
        required=required,
    )


def _comparable(view: FinetuneView) -> Model:
    """
    Raises:
        Refused: its trainer has no strength, or no seeds to compare by.
    """
    model = catalogue.find(usual_model(view))
    if model.parameter(STRENGTH) is None or model.parameter("seed") is None:
        raise Refused(f"“{view.finetune.name}” has no strengths to compare: its trainer offers none.")
    if any(role.required for role in model.roles):
        raise Refused(f"{model.label} needs an image. Choose another usual model first, with `/finetune default`.")
    return model


def _usual_strengths(view: FinetuneView, model: Model) -> list[float]:
    parameter = model.parameter(STRENGTH)
    assert parameter, "only such models are compared"
    usual = view.finetune.strength if view.finetune.strength is not None else float(parameter.default or 1.0)
    lowest, highest = parameter.minimum or 0.0, parameter.maximum or 2.0
    return sorted({round(min(max(usual + step, lowest), highest), 2) for step in _AROUND})


def _read_strengths(typed: str, model: Model) -> list[float]:
    """
    Raises:
        Refused: one of them is no strength.
    """
    parameter = model.parameter(STRENGTH)
    assert parameter, "only such models are compared"
    return sorted(float(parameter.read(word)) for word in split_numbers(typed))


async def setup(client: Client) -> None:
    finetune = client.tree.get_command("finetune")
    assert isinstance(finetune, app_commands.Group), "cogs.finetuning.commands is loaded before"
    finetune.add_command(cast("app_commands.Command[Any, ..., None]", sweep), override=True)
    for verb, press in {
        "fin:try": Press(open_try, Answer.FORM),
        "fin:tried": Press(tried, Answer.PUBLIC),
        "fin:sweep": Press(open_sweep, Answer.FORM),
        "fin:swept": Press(swept),
        "fin:sweeping": Press(draw_offered, Answer.PUBLIC),
    }.items():
        client.presses.register(verb, press)
