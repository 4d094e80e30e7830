"""What the buttons of a finetune's card do: set options, start, stop, share, withdraw, delete."""

import discord
from discord.ui import Checkbox, MentionableSelect, Select, TextInput

from bot import limits
from bot.cards.base.words import money
from bot.cards.finetuning.details import deletion_question, finetune_details
from bot.discord.buttons import YES, Answer, Form, Press, Subject, acknowledge, read_fields, read_mentioned, say
from bot.discord.client import Client, Interaction, Showable
from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.parameters import Kind, Parameter, Value
from bot.providers.training import FinetuneSpec
from bot.workflows.finetuning.drafts import LONGEST_DESCRIPTION
from bot.workflows.finetuning.types import CONSENT, OPEN, FinetuneState, FinetuneView, Share, Visibility
from bot.workflows.finetuning.verbs import MOST_SHARES
from cogs.base.asking import check_place, reply
from cogs.base.finding import check_age
from cogs.finetuning.drafts import own_draft, show_changed
from cogs.finetuning.finding import check_known, finetune_of
from cogs.reviewing.moderators import moderates

_ASKED = ("learning_rate", "preset", "finetune_type")
"""Settings that the form of options has room for, besides the iterations."""
_WHO = {
    Visibility.PRIVATE: ("Only me", "Nobody else can draw with it."),
    Visibility.SHARED: ("These members and roles", "Choose them below."),
    Visibility.COMMUNITY: ("Everybody in this server", "Whoever may use this bot here."),
}

# The draft.


async def open_options(interaction: Interaction, finetune_id: str) -> None:
    """A form with the settings that are changed most; a form has room for five."""
    view = await own_draft(interaction, finetune_id)
    form = Form("fin:optioned", finetune_id, "How to train it")
    for name, label, value, most in _list_texts(view):
        paragraph = most > 100
        field = TextInput[Form](
            style=discord.TextStyle.paragraph if paragraph else discord.TextStyle.short,
            default=value or None,
            max_length=most,
            required=False,
        )
        form.ask(name, label, field, _WHY[name])
    for parameter in _list_parameters(view)[: limits.FORM_FIELDS - len(_list_texts(view))]:
        form.ask(parameter.name, parameter.label, _make_field(parameter, view.spec), parameter.help)
    await interaction.response.send_modal(form)


async def configure(interaction: Interaction, finetune_id: str) -> None:
    view = await own_draft(interaction, finetune_id)
    fields = read_fields(interaction)
    parameters: dict[str, Value] = dict(view.spec.parameters)
    for parameter in view.trainer.parameters:
        if parameter.name not in fields:
            continue
        parameters.pop(parameter.name, None)
        if fields[parameter.name].strip():
            parameters[parameter.name] = fields[parameter.name]
    words = {name: fields[name] for name in ("trigger", "class_name", "instruction") if name in fields}
    spec = view.spec.model_copy(update=words | {"parameters": parameters})
    await interaction.client.services.finetuning.drafts.configure(
        finetune_id, spec, by=interaction.user.id, description=fields.get("description")
    )
    await show_changed(interaction, finetune_id)


_WHY = {
    "trigger": "What stands for it in prompts. Empty for the trainer's usual one.",
    "class_name": "The noun of what it is, such as woman, cat or sunglasses.",
    "instruction": "What leads from each first picture to its second, such as: turn the car red.",
    "description": "What it looks like, in a few words: the bot puts it into prompts.",
}


def _list_texts(view: FinetuneView) -> list[tuple[str, str, str, int]]:
    spec, trainer = view.spec, view.trainer
    description = ("description", "Description", view.finetune.description, LONGEST_DESCRIPTION)
    if spec.pack:
        return [description]  # it decides the rest by itself, and its price is that of the class
    fields = [("trigger", "Trigger word", spec.trigger, 40)]
    if trainer.class_needed:
        fields.append(("class_name", "Class", spec.class_name, 40))
    if trainer.pairs:
        fields.append(("instruction", "Edit", spec.instruction, 300))
    return [*fields, description]


def _list_parameters(view: FinetuneView) -> list[Parameter]:
    names = () if view.spec.pack else (view.trainer.iterations, *_ASKED)
    return [parameter for name in names if (parameter := view.trainer.parameter(name))]


def _make_field(parameter: Parameter, spec: FinetuneSpec) -> TextInput[Form] | Select[Form]:
    value = spec.parameters.get(parameter.name)
    if parameter.kind is Kind.CHOICE:
        usual = str(value if value is not None else parameter.default)
        options = [discord.SelectOption(label=each, value=each, default=each == usual) for each in parameter.choices]
        return Select(options=options)
    usual = "; usually left to the trainer" if parameter.default is None else f"; usually {parameter.default}"
    text = "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)
    return TextInput(
        default=text or None,
        required=False,
        max_length=20,
        placeholder=f"{parameter.range}{usual}"[: limits.HINT_CHARACTERS],
    )


async def open_to_others(interaction: Interaction, finetune_id: str) -> None:
    await own_draft(interaction, finetune_id)
    await interaction.client.services.finetuning.drafts.open_to_others(finetune_id, by=interaction.user.id)
    await show_changed(interaction, finetune_id)


async def use_other(interaction: Interaction, subject: Subject) -> None:
    """Train the draft elsewhere: the subject's detail is the key of the other trainer."""
    await own_draft(interaction, subject.id)
    await interaction.client.services.finetuning.drafts.use_trainer(subject.id, subject.detail, by=interaction.user.id)
    await show_changed(interaction, subject.id)


# The training.


async def open_start(interaction: Interaction, subject: Subject) -> None:
    """What it costs, and whether the pictures may be used: nothing is started without an explicit yes.

    The subject's detail begins the digest of what the card shows.
    """
    check_place(interaction)
    view = await finetune_of(interaction, subject.id)
    if view.finetune.owner_id != interaction.user.id:
        raise Refused(f"Only <@{view.finetune.owner_id}> can start this training.")
    if view.finetune.state not in OPEN:
        raise Refused("This training was started already.")
    if not view.is_shown(subject.detail):
        await acknowledge(interaction, Answer.PRIVATE)
        await interaction.client.services.delivery.show(view)  # perhaps an earlier edit of it has failed
        raise Refused("What the card shows has changed since. Please look at it again, then press Start.")
    form = Form("fin:started", subject, f"Train “{view.finetune.name}”")
    price = f"about {money(view.price)}" if view.price is not None else "a price that its trainer does not publish"
    twice = (
        "\nAn earlier try may have been charged already: this may be charged a second time."
        if view.finetune.state is FinetuneState.UNKNOWN
        else ""
    )
    form.say(f"{view.trainer.label} trains on {len(view.pictures)} pictures, for {price}.{twice}\n\n{CONSENT}")
    form.ask("agreed", "I confirm that", Checkbox[Form](), "Nothing is started or charged without this.")
    await interaction.response.send_modal(form)


async def start(interaction: Interaction, subject: Subject) -> None:
    check_place(interaction)
    await finetune_of(interaction, subject.id)
    if read_fields(interaction).get("agreed") != YES:
        raise Refused("You did not confirm that these pictures may be used. Nothing was started or charged.")
    starts = interaction.client.services.finetuning.starts
    await starts.start(subject.id, by=interaction.user.id, digest=subject.detail)
    await show_changed(interaction, subject.id)


async def stop(interaction: Interaction, finetune_id: str) -> None:
    services = interaction.client.services
    await finetune_of(interaction, finetune_id)
    stopped = await services.finetuning.starts.stop(finetune_id, by=interaction.user.id)
    view = await show_changed(interaction, finetune_id)
    if not stopped:
        raise Refused("Too late to stop it: the training is ordered already, or over.")
    if view.review:
        await services.delivery.decided(view.review, view)


async def train_again(interaction: Interaction, finetune_id: str) -> None:
    view = await finetune_of(interaction, finetune_id)
    await interaction.client.services.finetuning.finetunes.train_again(view, by=interaction.user.id)
    await show_changed(interaction, finetune_id)


# What it has become.


async def show(interaction: Interaction, subject: Subject) -> None:
    """The subject of a button on a piece of news names its occasion, too."""
    await show_details(interaction, await finetune_of(interaction, subject.id))


async def find_to_show(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """The finetune with that id, which the asker may see in this channel.

    Raises:
        Refused: there is none, it is not shared with them, or it belongs to an age-restricted channel.
    """
    view = await finetune_of(interaction, finetune_id)
    await check_age(interaction, view.job)
    return view


async def show_details(interaction: Interaction, view: FinetuneView) -> None:
    """All that is known about a finetune, for the asker alone; its trainer is asked, too."""
    await check_age(interaction, view.job)
    services = interaction.client.services
    details = await services.finetuning.views.load_details(view)
    card = finetune_details(
        view, services.kit.files, entries=details.entries, facts=details.facts, viewer_id=interaction.user.id
    )
    await reply(interaction, card)


async def open_share(interaction: Interaction, finetune_id: str) -> None:
    await ask_share(interaction, await finetune_of(interaction, finetune_id))


async def ask_share(interaction: Interaction, view: FinetuneView) -> None:
    """A form about who may draw with it, filled in as it is now."""
    if view.finetune.owner_id != interaction.user.id:
        await check_known(interaction, view.finetune.id)
        raise Refused(f"Only <@{view.finetune.owner_id}>, who made this finetune, can share it.")
    form = Form("fin:shared", view.finetune.id, f"Share “{view.finetune.name}”")
    options = [
        discord.SelectOption(label=label, value=each.value, description=why, default=each is view.finetune.visibility)
        for each, (label, why) in _WHO.items()
    ]
    form.ask("who", "Who may draw with it?", Select[Form](options=options))
    chosen_before = [
        discord.SelectDefaultValue(
            id=each.subject_id,
            type=discord.SelectDefaultValueType.role if each.kind == "role" else discord.SelectDefaultValueType.user,
        )
        for each in view.shares
        if each.kind == "member" or (interaction.guild and interaction.guild.get_role(each.subject_id))
    ]
    these = MentionableSelect[Form](min_values=0, max_values=MOST_SHARES, required=False, default_values=chosen_before)
    form.ask("these", "Which members and roles?", these, "They matter for “These members and roles” alone.")
    await interaction.response.send_modal(form)


async def share(interaction: Interaction, finetune_id: str) -> None:
    view = await finetune_of(interaction, finetune_id)
    visibility = Visibility(read_fields(interaction)["who"])
    shares = [Share("role" if each.is_role else "member", each.id) for each in read_mentioned(interaction, "these")]
    if visibility is not Visibility.SHARED:
        shares = []
    elif not shares:
        raise Refused("Choose at least one member or role, or “Only me”. Nothing was changed.")
    await interaction.client.services.finetuning.finetunes.share(
        view, by=interaction.user.id, visibility=visibility, shares=shares
    )
    await show_changed(interaction, finetune_id)
    whom = " ".join(f"<@&{each.subject_id}>" if each.kind == "role" else f"<@{each.subject_id}>" for each in shares)
    sentence = {
        Visibility.PRIVATE: "Only you can draw with it now.",
        Visibility.SHARED: f"You and these can draw with it now: {whom}",
        Visibility.COMMUNITY: "Everybody in this server can draw with it now.",
    }
    await interaction.edit_original_response(content=sentence[visibility])


# Taking back.


async def open_withdrawal(interaction: Interaction, finetune_id: str) -> None:
    await ask_withdrawal(interaction, await finetune_of(interaction, finetune_id))


async def ask_withdrawal(interaction: Interaction, view: FinetuneView) -> None:
    """Say what a withdrawal does, and ask once more."""
    who = interaction.user.id
    count = sum(each.contributor_id == who and each.withdrawn_at is None for each in view.pictures)
    if not count:
        await check_known(interaction, view.finetune.id)
        raise Refused("None of its pictures is yours.")
    pictures = "1 picture" if count == 1 else f"{count} pictures"
    form = Form("fin:withdrawn", view.finetune.id, "Withdraw your pictures")
    form.say(
        f"{pictures} of “{view.finetune.name}” came from you. "
        + (
            "What was trained on cannot be taken out of a model: nobody can draw with it until a moderator has decided "
            "whether it is kept or deleted."
            if not view.untrained
            else "They are removed from the training set at once."
        )
    )
    form.ask("agreed", "Withdraw them", Checkbox[Form]())
    await interaction.response.send_modal(form)


async def withdraw(interaction: Interaction, finetune_id: str) -> None:
    view = await finetune_of(interaction, finetune_id)
    if read_fields(interaction).get("agreed") != YES:
        raise Refused("You did not tick the box, so nothing has changed.")
    count = await interaction.client.services.finetuning.finetunes.withdraw(view, by=interaction.user.id)
    view = await show_changed(interaction, finetune_id)
    pictures = "1 picture is" if count == 1 else f"{count} pictures are"
    what = (
        "Nobody can draw with it until a moderator has decided."
        if view.finetune.frozen_at is not None
        else "They are removed from the training set."
    )
    await interaction.edit_original_response(content=f"{pictures} withdrawn from “{view.finetune.name}”. {what}")


async def open_deletion(interaction: Interaction, finetune_id: str) -> None:
    await ask_deletion(interaction, await finetune_of(interaction, finetune_id))


async def ask_deletion(interaction: Interaction, view: FinetuneView) -> None:
    """Ask once more, and say what is lost."""
    if view.finetune.owner_id != interaction.user.id and not await moderates(interaction):
        raise Refused(f"Only <@{view.finetune.owner_id}> and the moderators can delete this.")
    await reply(interaction, deletion_question(view))


async def delete(interaction: Interaction, finetune_id: str) -> None:
    services = interaction.client.services
    view = await finetune_of(interaction, finetune_id)
    await services.finetuning.finetunes.delete(view, by=interaction.user.id, moderator=await moderates(interaction))
    view = await services.finetuning.views.of(finetune_id) or view
    await services.delivery.show(view)
    await interaction.delete_original_response()  # the question
    draft = not view.tries
    await say(
        interaction,
        f"“{view.finetune.name}” is {'discarded' if draft else 'deleted'}, and its pictures with it."
        + ("" if draft else " The bot is deleting it at its trainer, too, where that is possible."),
    )


# Its usual model and strength.


async def keep(interaction: Interaction, subject: Subject) -> None:
    """Make a strength of a sweep the finetune's usual one; the subject's detail is its place in the sweep."""
    view = await interaction.client.services.drawing.views.of(subject.id)
    if view is None or view.job.guild_id != interaction.guild_id or not view.request.finetune:
        raise Refused(f"There is no request `{subject.id[:20]}` in this server.")
    strengths = view.request.sweep.strengths if view.request.sweep else ()
    if not subject.detail.isdecimal() or int(subject.detail) >= len(strengths):
        raise Refused("That strength is none of this comparison's.")
    finetune = await finetune_of(interaction, view.request.finetune)
    strength = strengths[int(subject.detail)]
    await interaction.client.services.finetuning.finetunes.keep(
        finetune, by=interaction.user.id, model=view.request.model, strength=strength
    )
    await show_changed(interaction, finetune.finetune.id)
    model = catalogue.find(view.request.model).label
    await interaction.edit_original_response(
        content=f"From now on {model} draws “{finetune.finetune.name}” at strength {strength:g}, "
        "unless a command says otherwise."
    )


async def setup(client: Client) -> None:
    client.showables["finetune"] = Showable(find_to_show, show_details)
    for verb, press in {
        "fin:options": Press(open_options, Answer.FORM),
        "fin:optioned": Press(configure, Answer.SILENT),
        "fin:open": Press(open_to_others, Answer.SILENT),
        "fin:other": Press(use_other, Answer.SILENT),
        "fin:start": Press(open_start, Answer.FORM),
        "fin:again": Press(open_start, Answer.FORM),
        "fin:started": Press(start, Answer.SILENT),
        "fin:stop": Press(stop, Answer.SILENT),
        "fin:anew": Press(train_again, Answer.SILENT),
        "fin:show": Press(show),
        "fin:share": Press(open_share, Answer.FORM),
        "fin:shared": Press(share),
        "fin:withdraw": Press(open_withdrawal, Answer.FORM),
        "fin:withdrawn": Press(withdraw),
        "fin:discard": Press(open_deletion),
        "fin:delete": Press(open_deletion),
        "fin:deleted": Press(delete, Answer.SILENT),
        "fin:keep": Press(keep),
    }.items():
        client.presses.register(verb, press)
