"""`/finetune`: makes a finetune, lists finetunes, and changes, shares and deletes them."""

from collections.abc import Iterable

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from bot import limits
from bot.cards.base.layout import buttons_below
from bot.cards.base.words import money
from bot.cards.finetuning.details import finetune_list, list_drafts
from bot.discord.attachments import name_of
from bot.discord.buttons import Answer, Press, acknowledge, mark_answered, read_fields, say
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.pictures.names import Kind, kind_of
from bot.providers import trainers
from bot.providers.parameters import Value
from bot.providers.trainer_entries import Trainer
from bot.providers.training import FinetuneSpec, Pack, TrainedSubject
from bot.values import Frozen
from bot.workflows.base.types import Upload, job_id
from bot.workflows.finetuning.choices import finetuned_models, finetuned_named
from bot.workflows.finetuning.drafts import check_description, check_name
from bot.workflows.finetuning.types import FinetuneView
from cogs.base import options
from cogs.base.asking import attached, check_place, origin, roles_of
from cogs.base.options import Links
from cogs.finetuning.buttons import ask_deletion, ask_share, ask_withdrawal, show_details
from cogs.finetuning.choices import suggest_drawing, suggest_finetunes, suggest_ready
from cogs.finetuning.drafts import show_changed
from cogs.finetuning.finding import finetune_named
from cogs.finetuning.pictures import (
    FORM_LIFE,
    MessagePictures,
    add_all_pictures,
    added_text,
    find_linked_pictures,
    shortened,
    upload_form,
    uploaded_files,
)

Name = Range[str, 1, 40]
Text = Range[str, 1, 300]
Word = Range[str, 1, 40]


def _choices(texts: Iterable[str]) -> list[Choice[str]]:
    return [Choice(name=text, value=text) for text in texts]


class NewFinetune(Frozen):
    """What was typed into the command, while the form for its pictures is open."""

    spec: FinetuneSpec
    description: str = ""


class Finetune(
    commands.GroupCog, group_name="finetune", group_description="Train a model on your pictures, and draw with it"
):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(
        name="What it is called here: members draw with it by this name",
        kind="What it is of",
        archive="A ZIP of up to 20 JPEG, PNG or WebP pictures, with captions as .txt files of the same names",
        links="Links to messages with pictures, with spaces between",
        trainer="Who trains it; each says what it is good for and what it costs",
        trigger="The word that stands for it in prompts; usually TOK, or the trainer's own",
        class_noun="The noun of what it is, such as woman, cat or sunglasses (Astria needs it)",
        description="What it looks like, in a few words: put into prompts",
        iterations="Black Forest Labs: 100 to 1000, usually 300. Elsewhere to 10000; left out, the trainer decides",
        learning_rate="Black Forest Labs: 0.000001 to 0.005; usually 0.00001, and 0.0001 for lora",
        priority="Black Forest Labs: speed, quality or high_res_only; usually quality",
        captioning="Black Forest Labs: describe pictures without a caption automatically; usually yes",
        finetune_type="Black Forest Labs: full trains everything (usual), lora trains a LoRA directly",
        lora_rank="Black Forest Labs: 16 trains and loads faster, 32 is usual",
        region="Black Forest Labs: where it is trained and drawn, us1 (usual) or eu1",
        preset="Astria: portrait for people (usual), focus for things, none for styles",
        instruction="Kontext: the edit that leads from each first picture to its second, such as: turn the car red",
        pack="Astria: a pack that draws its pictures as soon as it is trained",
        branch="Astria: fast is a free mock whose pictures are not real; usually flux1",
    )
    @app_commands.choices(
        kind=[Choice(name=each.value, value=each.value) for each in TrainedSubject],
        priority=_choices(trainers.choices("priority")),
        finetune_type=_choices(trainers.choices("finetune_type")),
        lora_rank=_choices(trainers.choices("lora_rank")),
        region=_choices(trainers.regions()),
        preset=_choices(trainers.choices("preset")),
        branch=_choices(trainers.choices("branch")),
    )
    async def create(
        self,
        interaction: Interaction,
        name: Name,
        kind: str,
        archive: discord.Attachment | None = None,
        links: Links | None = None,
        trainer: options.Choice | None = None,
        trigger: Word | None = None,
        class_noun: Word | None = None,
        description: Text | None = None,
        iterations: Range[int, 1, 10_000] | None = None,
        learning_rate: Range[float, 0.000001, 0.005] | None = None,
        priority: str | None = None,
        captioning: bool | None = None,
        finetune_type: str | None = None,
        lora_rank: str | None = None,
        region: str | None = None,
        preset: str | None = None,
        instruction: Text | None = None,
        pack: options.Choice | None = None,
        branch: str | None = None,
    ) -> None:
        """Make a finetune of your pictures. Nothing is charged before you confirm it."""
        chosen = self._client.services.finetuning.views.find_trainer(trainer)
        options: dict[str, Value | None] = {
            chosen.iterations: iterations,
            "learning_rate": learning_rate,
            "priority": priority,
            "captioning": captioning,
            "finetune_type": finetune_type,
            "lora_rank": lora_rank,
            "preset": preset,
            "branch": branch,
        }
        spec = FinetuneSpec(
            id=job_id(interaction.id),
            name=check_name(name),
            trainer=chosen.key,
            subject=TrainedSubject(kind),
            trigger=trigger or "",
            class_name=class_noun or "",
            parameters={key: value for key, value in options.items() if value is not None},
            region=region or self._client.services.finetuning.views.home(chosen),
            instruction=instruction or "",
            pack=pack,
        )
        new = NewFinetune(spec=trainers.check_settings(spec), description=check_description(description or ""))
        check_place(interaction)
        if archive is None and links is None:
            await self._open_form(interaction, new)
            return
        if archive is not None and kind_of(name_of(archive)) is Kind.OTHER:
            raise Refused("“archive” takes a ZIP. Leave it out, and a form asks for single pictures.")
        await acknowledge(interaction, Answer.PUBLIC)
        messages = await find_linked_pictures(interaction, links or "")
        uploads = [attached(self._client, archive)] if archive else []
        await self._create(interaction, new, uploads, messages)

    async def create_from_form(self, interaction: Interaction, form_id: str) -> None:
        """The form was sent: the finetune is made with the pictures that came with it, or without any."""
        new = await self._client.services.forms.find(form_id, interaction.user.id, NewFinetune)
        if new is None:
            raise Refused("This form was open for too long. Please type the command again.")
        messages = await find_linked_pictures(interaction, read_fields(interaction).get("links", ""))
        await self._create(interaction, new, uploaded_files(interaction), messages)

    async def _create(
        self, interaction: Interaction, new: NewFinetune, uploads: list[Upload], messages: list[MessagePictures]
    ) -> None:
        services = self._client.services
        spec = await services.finetuning.packs.price(new.spec)
        job, added = await services.finetuning.drafts.create(
            origin(interaction), spec, uploads, description=new.description
        )
        mark_answered(interaction)
        services.delivery.remember(job.id, interaction)
        lines = [added_text(added)] if added.left_out or added.twice else []
        lines += await add_all_pictures(interaction, job.id, messages, consented=False)
        await show_changed(interaction, job.id)
        if lines:
            await say(interaction, shortened(lines))

    async def _open_form(self, interaction: Interaction, new: NewFinetune) -> None:
        """Open a form for the pictures. Whether the draft may be made is checked before anybody uploads any."""
        services, form_id = self._client.services, job_id(interaction.id)
        await services.finetuning.drafts.check_free(origin(interaction), new.spec.name)
        await services.forms.keep(form_id, interaction.user.id, new, seconds=FORM_LIFE)
        await interaction.response.send_modal(upload_form("fin:created", form_id, f"Pictures of “{new.spec.name}”"))

    @create.autocomplete("trainer")
    async def _suggest_trainers(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        """Each with what it is good for and its price, in the 100 characters that Discord gives."""
        words = typed.casefold().split()
        return [
            _trainer_choice(each)
            for each in self._client.services.finetuning.views.offered()
            if all(word in f"{each.key} {each.label} {each.good_for}".casefold() for word in words)
        ][: limits.CHOICES]

    @create.autocomplete("class_noun")
    async def _suggest_classes(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        usual = [each for each in trainers.classes() if each.startswith(typed.strip().lower())]
        return [Choice(name=each, value=each) for each in usual or [typed.strip()[:40]] if each]

    @create.autocomplete("pack")
    async def _suggest_packs(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        words = typed.casefold().split()
        packs = await self._client.services.finetuning.packs.offered()
        fitting = [each for each in packs if all(word in each.title.casefold() for word in words)]
        return [
            Choice(name=f"{each.title[:60]}{_pack_price(each)}", value=each.id) for each in fitting[: limits.CHOICES]
        ]

    # Living with them.

    @app_commands.command(name="list")
    async def list_(self, interaction: Interaction) -> None:
        """Show the finetunes that are yours or that you may draw with."""
        await acknowledge(interaction, Answer.PRIVATE)
        assert interaction.guild_id, "commands are in communities only"
        views = await self._client.services.finetuning.views.list_usable(
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            roles=roles_of(interaction),
            limit=limits.CHOICES,
        )
        drafts = list_drafts(views, interaction.user.id)
        text = finetune_list(views, interaction.user.id)
        await interaction.edit_original_response(content=text, view=buttons_below(drafts))

    @app_commands.command()
    @app_commands.describe(name="Which finetune")
    @app_commands.autocomplete(name=suggest_finetunes)
    async def show(self, interaction: Interaction, name: options.Choice) -> None:
        """Show all about a finetune: progress, cost, pictures, who gave them, samples."""
        await acknowledge(interaction, Answer.PRIVATE)
        await show_details(interaction, await finetune_named(interaction, name))

    @app_commands.command()
    @app_commands.describe(
        name="Which finetune", new_name="What it is called from now on", description="What it looks like, for prompts"
    )
    @app_commands.autocomplete(name=suggest_finetunes)
    async def rename(
        self,
        interaction: Interaction,
        name: options.Choice,
        new_name: Name | None = None,
        description: Text | None = None,
    ) -> None:
        """Change a finetune's name, or its description."""
        await acknowledge(interaction, Answer.PRIVATE)
        if new_name is None and description is None:
            raise Refused("Say what to change: “new_name”, “description”, or both.")
        view = await finetune_named(interaction, name)
        await self._client.services.finetuning.finetunes.rename(
            view, by=interaction.user.id, name=new_name, description=description
        )
        view = await show_changed(interaction, view.finetune.id)
        await interaction.edit_original_response(
            content=f"It is called “{view.finetune.name}” now."
            if new_name
            else f"The description of “{view.finetune.name}” is changed."
        )

    @app_commands.command()
    @app_commands.describe(name="Which finetune")
    @app_commands.autocomplete(name=suggest_finetunes)
    async def share(self, interaction: Interaction, name: options.Choice) -> None:
        """Decide in a form who may draw with a finetune: only you, some members and roles, or everybody."""
        await ask_share(interaction, await finetune_named(interaction, name))

    @app_commands.command()
    @app_commands.describe(name="Which finetune")
    @app_commands.autocomplete(name=suggest_finetunes)
    async def delete(self, interaction: Interaction, name: options.Choice) -> None:
        """Delete a finetune here and at its trainer. You are asked once more."""
        await acknowledge(interaction, Answer.PRIVATE)
        await ask_deletion(interaction, await finetune_named(interaction, name))

    @app_commands.command()
    @app_commands.describe(name="Which finetune")
    @app_commands.autocomplete(name=suggest_finetunes)
    async def withdraw(self, interaction: Interaction, name: options.Choice) -> None:
        """Take back the pictures that you gave for a finetune. You are asked once more."""
        await ask_withdrawal(interaction, await finetune_named(interaction, name))

    @app_commands.command(name="default")
    @app_commands.describe(
        name="Which finetune",
        strength="Its usual strength, 0 to 2: higher for more likeness, lower for pictures that look distorted",
        model="What usually draws with it",
    )
    @app_commands.autocomplete(name=suggest_ready, model=suggest_drawing)
    async def default(
        self,
        interaction: Interaction,
        name: options.Choice,
        strength: Range[float, 0.0, 2.0] | None = None,
        model: options.Choice | None = None,
    ) -> None:
        """Set the strength and model that a finetune is drawn with, unless a command says otherwise."""
        await acknowledge(interaction, Answer.PRIVATE)
        if strength is None and model is None:
            raise Refused("Say what is usual from now on: “strength”, “model”, or both.")
        view = await finetune_named(interaction, name)
        key = finetuned_named(model, view).key if model else None
        await self._client.services.finetuning.finetunes.keep(
            view, by=interaction.user.id, model=key, strength=strength
        )
        view = await show_changed(interaction, view.finetune.id)
        await interaction.edit_original_response(content=_usual(view))


def _usual(view: FinetuneView) -> str:
    strength = f" at strength {view.finetune.strength:g}" if view.finetune.strength is not None else ""
    model = finetuned_models(view)[0].label
    return f"From now on {model} draws “{view.finetune.name}”{strength}, unless a command says otherwise."


def _trainer_choice(trainer: Trainer) -> Choice[str]:
    price = trainer.price({}, trainer.advised)
    price_text = "price not published" if price is None else f"from {money(price)}"
    room = limits.CHOICE_CHARACTERS - len(trainer.label) - len(price_text) - 6
    good_for = trainer.good_for if len(trainer.good_for) <= room else trainer.good_for[: room - 1] + "…"
    return Choice(name=f"{trainer.label} — {good_for} — {price_text}", value=trainer.key)


def _pack_price(pack: Pack) -> str:
    return f" — {money(pack.cost)}" if pack.cost is not None else ""


async def setup(client: Client) -> None:
    cog = Finetune(client)
    client.presses.register("fin:created", Press(cog.create_from_form, Answer.PUBLIC))
    await client.add_cog(cog)
