"""`/finetune`, its card's buttons and forms, and `/imagine` with a finetune, as members see them."""

import io
import json
import random
import zipfile
from dataclasses import replace
from typing import Any

import discord
import pytest
import simcord
from PIL import Image
from simcord import SetupError

from bot.errors import Refused
from bot.providers import trainers
from bot.workflows.finetuning.types import FinetuneView
from cogs.finetuning.training_sets import read_numbered
from standins.base.faults import Fault, answers, loses_the_answer
from storage.finetuning import finetunes
from storage.finetuning.finetunes import FinetuneState, Share, Visibility
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, job_of, private, text_of

NOT_HERE = "There is no such finetune here, or it is not shared with you."
HOUR = 3600.0


def picture(seed: int, name: str | None = None, size: tuple[int, int] = (640, 480)) -> tuple[str, bytes]:
    """A picture that looks like no other."""
    chance = random.Random(seed)
    small = Image.frombytes("RGB", (8, 6), chance.randbytes(8 * 6 * 3))
    content = io.BytesIO()
    large = small.resize(size, Image.Resampling.BICUBIC)  # pyright: ignore[reportUnknownMemberType] # names numpy
    large.save(content, "JPEG", quality=90)
    return name or f"picture-{seed}.jpg", content.getvalue()


def caption(name: str, text: str) -> tuple[str, bytes]:
    return name, text.encode()


def archive(*files: tuple[str, bytes]) -> tuple[str, bytes]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, data in files:
            file.writestr(name, data)
    return "set.zip", content.getvalue()


@pytest.fixture
async def studio(make_community: MakeCommunity) -> Community:
    """A community whose trainer is BFL as it was in 2025, and quick."""
    return await make_community(trainers=["bfl"], training_duration=600.0)


async def create(
    community: Community, member: simcord.MemberActor | None = None, **options: Any
) -> simcord.InteractionResult:
    options = {"name": "Luna", "kind": "character"} | options
    return await (member or community.ada).slash(community.studio, "finetune create", **options)


async def by_form(community: Community, values: dict[str, Any], **options: Any) -> FinetuneView:
    form = await create(community, **options)
    await community.ada.submit_modal(form, values)
    return await load_view(community, options.get("name", "Luna"))


async def a_draft(community: Community, pictures: int = 3) -> FinetuneView:
    return await by_form(community, {"pictures": [picture(seed) for seed in range(pictures)]})


async def load_view(community: Community, name: str = "Luna") -> FinetuneView:
    await community.clock.settle()
    view = await community.app.services.finetuning.views.find_by_name(community.guild.id, name)
    assert view, name
    return view


def read_card(result: simcord.InteractionResult) -> str:
    """All that a private card says."""
    assert result.response
    assert result.response.ephemeral
    return json.dumps(result.response.components, ensure_ascii=False)


async def press(community: Community, label: str, member: simcord.MemberActor | None = None) -> Any:
    return await (member or community.ada).click(community.cards[0], label=label)


async def a_finetune(community: Community, pictures: int = 3) -> FinetuneView:
    """A finetune that is ready."""
    await a_draft(community, pictures)
    await start(community)
    await community.skip(2 * HOUR)
    view = await load_view(community)
    assert view.usable, text_of(community.cards[0])
    return view


async def start(community: Community) -> simcord.InteractionResult:
    (label,) = [label for label in buttons_of(community.cards[0]) if label.startswith("Start training")]
    form = await press(community, label)
    return await community.ada.submit_modal(form, {"agreed": True})


# Making one.


async def test_a_member_makes_a_draft_in_a_form_with_pictures_and_captions(studio: Community) -> None:
    form = await create(studio, trigger="LUNA", iterations=150, learning_rate=0.0001, finetune_type="lora")
    assert form.modal
    assert [each["label"] for each in form.modal["components"]] == [
        "Pictures 1–10",
        "Pictures 11–20",
        "Captions (.txt) 1–10",
        "Captions (.txt) 11–20",
        "Or links to messages with pictures",
    ]
    assert studio.cards == []
    files = {
        "pictures": [picture(seed) for seed in range(10)],
        "more": [picture(seed) for seed in range(10, 20)],
        "captions": [caption("picture-3.txt", "Luna on a sofa")],
    }
    await studio.ada.submit_modal(form, files)
    view = await load_view(studio)
    assert len(view.pictures) == 20
    assert view.pictures[3].caption == "Luna on a sofa"
    assert {each.contributor_id for each in view.pictures} == {studio.ada.id}
    assert (view.spec.trigger, view.spec.region) == ("LUNA", "us1")
    assert view.spec.parameters == {"iterations": 150, "learning_rate": 0.0001, "finetune_type": "lora"}
    assert "Luna" in text_of(studio.card)
    assert studio.card.attachments, "the contact sheet"


async def test_a_zip_becomes_a_draft_and_what_is_left_out_is_said_in_private(studio: Community) -> None:
    given = archive(picture(1, "a.jpg"), caption("a.txt", "one"), picture(2, "b.jpg"), ("c.jpg", b"no picture"))
    result = await create(studio, archive=given)
    view = await load_view(studio)
    assert [(each.name, each.caption) for each in view.pictures] == [("a.jpg", "one"), ("b.jpg", None)]
    (reply,) = [each for each in result.followups if each.ephemeral]
    assert "“c.jpg”" in reply.content
    assert len(studio.cards) == 1


async def test_linked_messages_give_their_pictures_and_their_authors_are_the_contributors(studio: Community) -> None:
    message = await studio.ben.send(studio.studio, "look", attachments=[picture(1), picture(2), ("a.pdf", b"x")])
    await create(studio, links=message.jump_url)
    view = await load_view(studio)
    assert {(each.contributor_id, each.added_by, each.source) for each in view.pictures} == {
        (studio.ben.id, studio.ada.id, message.jump_url)
    }
    assert len(view.pictures) == 2


async def test_a_link_shows_nobody_what_they_could_not_see(studio: Community) -> None:
    hidden = studio.guild.create_text_channel(
        "hidden", overwrites={studio.ada: discord.PermissionOverwrite(view_channel=False)}
    )
    message = await studio.ben.send(hidden, "secret", attachments=[picture(1)])
    gone = message.jump_url.replace(str(message.id), str(message.id + 1))
    for link in (message.jump_url, gone):
        answer = await create(studio, links=link)
        assert private(answer) == "That message is gone, or you or the bot cannot see it."
    elsewhere = message.jump_url.replace(str(studio.guild.id), "100000000000000001")
    assert private(await create(studio, links=elsewhere)) == "That message is in another server."
    assert "is no link to a message" in private(await create(studio, links="a.jpg"))
    assert await studio.counted("finetunes") == 0
    assert studio.cards == []
    assert studio.env.errors


async def test_what_is_out_of_range_is_refused_before_anything_is_asked_for(studio: Community) -> None:
    await a_draft(studio)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"iterations": 50}, "Iterations must be a whole number between 100 and 1000."),
        ({"name": "  "}, "A finetune's name has 1 to 40 characters."),
        ({"name": "luna"}, "This server has a finetune called “luna” already. Choose another name;"),
        ({"preset": "none", "name": "Sol"}, "Black Forest Labs has no 'preset' setting."),
        ({"name": "Sol", "trainer": "astria"}, "Astria is not set up here. There is: Black Forest Labs."),
        ({"name": "Sol", "trigger": "!?"}, "A trigger word has letters and digits"),
        ({"name": "Sol", "archive": ("x.pdf", b"x")}, "“archive” takes a ZIP."),
        ({"name": "Sol", "archive": ("x.zip", b"x")}, "x.zip"),
    ]
    for options, sentence in cases:
        assert sentence in private(await create(studio, **options))
    assert len(studio.env.errors) == len(cases)
    assert await studio.counted("finetunes") == 1
    assert len(studio.cards) == 1


async def test_trainers_are_offered_with_their_price(studio: Community) -> None:
    (choice,) = await studio.ada.autocomplete(studio.studio, "finetune create", "trainer", "")
    assert choice["value"] == "bfl"
    assert "from $4.00" in choice["name"]


# Its pictures.


async def test_a_message_is_added_to_the_only_draft_at_once(studio: Community) -> None:
    view = await a_draft(studio)
    message = await studio.ben.send(studio.studio, "look", attachments=[picture(7)])
    result = await studio.ada.context_menu(studio.studio, "Add to training set", message)
    assert private(result) == "Training set of “Luna”: Taken: 1 picture."
    view = await load_view(studio)
    added = view.pictures[-1]
    assert (added.contributor_id, added.added_by, added.consented_at) == (studio.ben.id, studio.ada.id, None)


async def test_without_a_draft_it_is_said_how_to_make_one(studio: Community) -> None:
    message = await studio.ben.send(studio.studio, "look", attachments=[picture(7)])
    answer = private(await studio.ada.context_menu(studio.studio, "Add to training set", message))
    assert "`/finetune create`" in answer
    await a_draft(studio)
    words = await studio.ben.send(studio.studio, "no picture")
    answer = private(await studio.ada.context_menu(studio.studio, "Add to training set", words))
    assert answer == "That message has no JPEG, PNG or WebP attached."
    assert len(studio.env.errors) == 2


async def test_of_several_drafts_one_is_chosen_in_a_form(studio: Community) -> None:
    await a_draft(studio)
    sol = await by_form(studio, {}, name="Sol")
    message = await studio.ben.send(studio.studio, "look", attachments=[picture(7)])
    form = await studio.ada.context_menu(studio.studio, "Add to training set", message)
    result = await studio.ada.submit_modal(form, {"finetune": [sol.finetune.id]})
    assert "“Sol”" in private(result)
    assert len((await load_view(studio, "Sol")).pictures) == 1


async def test_the_bots_own_pictures_are_the_contribution_of_who_adds_them(studio: Community) -> None:
    await a_draft(studio)
    card = await studio.drawn(studio.ben, count=2)
    result = await studio.ada.context_menu(studio.studio, "Add to training set", card)
    assert private(result) == "Training set of “Luna”: Taken: 2 pictures."
    assert {each.contributor_id for each in (await load_view(studio)).pictures} == {studio.ada.id}


async def test_others_add_only_where_the_owner_lets_them_and_confirm_in_the_form(studio: Community) -> None:
    await a_draft(studio)
    refused = private(await press(studio, "Add pictures", studio.ben))
    assert "unless they press “Let others add”" in refused
    assert f"Only <@{studio.ada.id}>" in private(await press(studio, "Let others add", studio.ben))
    await press(studio, "Let others add")
    form = await press(studio, "Add pictures", studio.ben)
    assert form.modal["components"][0]["content"].startswith("By sending this you confirm: You may use these pictures")
    await studio.ben.submit_modal(form, {"pictures": [picture(30)]})
    view = await load_view(studio)
    added = view.pictures[-1]
    assert (added.contributor_id, added.consented_by) == (studio.ben.id, studio.ben.id)
    assert added.consented_at
    assert view.contributors == (studio.ada.id, studio.ben.id)

    form = await press(studio, "Remove", studio.ben)
    (field,) = [each["component"] for each in form.modal["components"]]
    assert [each["label"] for each in field["options"]] == ["4 · picture-30.jpg"], "others remove only what they gave"


async def test_who_adds_a_message_to_anothers_draft_confirms_in_a_form(studio: Community) -> None:
    view = await a_draft(studio)
    await press(studio, "Let others add")
    message = await studio.mia.send(studio.studio, "look", attachments=[picture(7)])
    form = await studio.ben.context_menu(studio.studio, "Add to training set", message)
    assert "By adding to another member's training set you confirm" in json.dumps(form.modal)
    await studio.ben.submit_modal(form, {"finetune": [view.finetune.id]})
    added = (await load_view(studio)).pictures[-1]
    assert (added.contributor_id, added.consented_by) == (studio.mia.id, studio.ben.id)


async def test_pictures_of_adults_channels_stay_there(studio: Community) -> None:
    view = await a_draft(studio)
    adults = studio.guild.create_text_channel("adults")
    text_channel = studio.app.client.get_channel(adults.id)
    assert isinstance(text_channel, discord.TextChannel)
    text_channel.nsfw = True  # SimCord's channels have no such switch
    message = await studio.ben.send(adults, "look", attachments=[picture(7)])
    answer = private(await studio.ada.context_menu(adults, "Add to training set", message))
    assert "Pictures of an age-restricted channel only go into" in answer
    form = await press(studio, "Add pictures")
    answer = private(await studio.ada.submit_modal(form, {"links": message.jump_url}))
    assert "Pictures of an age-restricted channel only go into" in answer
    assert studio.env.errors
    assert len((await load_view(studio)).pictures) == len(view.pictures)


async def test_a_picture_that_is_deleted_meanwhile_does_not_keep_the_other_messages_out(
    studio: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = await a_draft(studio)
    form = await press(studio, "Add pictures")
    await studio.imagine(count=2)
    await studio.pass_time(20)
    drawn = studio.cards[-1]
    message = await studio.ben.send(studio.studio, "look", attachments=[picture(9)])

    async def find_image(_interaction: object, _image_id: str) -> None:
        raise Refused("This picture is not there any more, or was never finished.")

    monkeypatch.setattr("cogs.finetuning.pictures.find_image", find_image)
    links = f"{drawn.jump_url} {message.jump_url}"
    answer = private(await studio.ada.submit_modal(form, {"links": links}))

    assert f"{drawn.jump_url}: This picture is not there any more" in answer
    assert "Taken: 1 picture." in answer
    assert len((await load_view(studio)).pictures) == len(view.pictures) + 1


async def test_captions_are_written_line_by_line(studio: Community) -> None:
    await a_draft(studio)
    form = await press(studio, "Captions")
    (field,) = [each["component"] for each in form.modal["components"]]
    assert field["value"] == "1:\n2:\n3:"
    await studio.ada.submit_modal(form, {"captions": "1: a cat\non a chair\n2:\n3: a dog"})
    assert [each.caption for each in (await load_view(studio)).pictures] == ["a cat on a chair", None, "a dog"]
    form = await press(studio, "Captions")
    await studio.ada.submit_modal(form, {"captions": "3:"})
    assert [each.caption for each in (await load_view(studio)).pictures] == ["a cat on a chair", None, None]


async def test_captions_never_go_to_other_pictures_than_those_that_had_the_numbers(studio: Community) -> None:
    await a_draft(studio)
    form = await press(studio, "Captions")
    removal = await press(studio, "Remove")
    first = (await load_view(studio)).pictures[0]
    await studio.ada.submit_modal(removal, {"pictures": [first.id]})
    answer = await studio.ada.submit_modal(form, {"captions": "1: the wrong one"})
    assert "the numbers do not fit any more" in str([each.content for each in answer.followups])
    view = await load_view(studio)
    assert len(view.pictures) == 2
    assert all(each.caption is None for each in view.pictures)


async def test_captions_go_to_pictures_that_are_there_already_or_are_named(studio: Community) -> None:
    await a_draft(studio)
    texts = [caption("picture-1.txt", "Luna on a sofa"), caption("nobody.txt", "Luna asleep")]
    answer = await studio.ada.submit_modal(await press(studio, "Add pictures"), {"captions": texts})
    assert private(answer) == (
        "Taken: 1 caption for a picture that is there already.\nNo picture is called like “nobody.txt”."
    )
    assert "Luna on a sofa" in [each.caption for each in (await load_view(studio)).pictures]


def test_a_trainer_that_is_not_there_is_suggested_by_its_name() -> None:
    with pytest.raises(Refused, match=r"There is no such trainer\. Did you mean Vimmerse Kontext\?"):
        trainers.find("vimmerse-contex")


def test_a_caption_without_a_number_is_refused() -> None:
    assert read_numbered("2. one\n10) two: three") == {2: "one", 10: "two: three"}
    with pytest.raises(Exception, match="Begin each line"):
        read_numbered("a cat")


async def test_options_are_changed_in_a_form_that_knows_the_trainers_own(studio: Community) -> None:
    await a_draft(studio)
    form = await press(studio, "Options")
    fields = {each["component"]["custom_id"]: each["component"] for each in form.modal["components"]}
    assert list(fields) == ["trigger", "description", "iterations", "learning_rate", "finetune_type"]
    values = {"trigger": "LUNA", "description": "a white cat", "iterations": "200", "finetune_type": ["lora"]}
    await studio.ada.submit_modal(form, values)
    view = await load_view(studio)
    assert view.spec.trigger == "LUNA"
    assert view.spec.parameters == {"iterations": 200, "finetune_type": "lora"}
    assert view.finetune.description == "a white cat"
    form = await press(studio, "Options")
    answer = await studio.ada.submit_modal(form, {"iterations": "5", "finetune_type": ["lora"]})
    assert "between 100 and 1000" in str([each.content for each in answer.followups])
    assert (await load_view(studio)).spec.parameters["iterations"] == 200
    assert f"Only <@{studio.ada.id}>" in private(await press(studio, "Options", studio.ben))


# The training.


async def test_nothing_is_trained_without_a_yes_to_the_consent(studio: Community) -> None:
    await a_draft(studio)
    (label,) = [label for label in buttons_of(studio.card) if label.startswith("Start training")]
    assert "for $4.00" in label
    assert f"Only <@{studio.ada.id}>" in private(await press(studio, label, studio.ben))
    form = await press(studio, label)
    assert "You may use these pictures" in form.modal["components"][0]["content"]
    answer = await studio.ada.submit_modal(form, {"agreed": False})
    assert "Nothing was started or charged." in str([each.content for each in answer.followups])
    assert (await load_view(studio)).finetune.state is FinetuneState.DRAFT

    await start(studio)
    view = await load_view(studio)
    assert view.finetune.state is FinetuneState.TRAINING
    assert all(each.consented_by == studio.ada.id for each in view.pictures)
    await studio.skip(2 * HOUR)
    assert (await load_view(studio)).usable
    assert len(studio.bfl.finetunes) == 1


async def test_what_has_changed_since_the_form_was_opened_is_not_started(studio: Community) -> None:
    await a_draft(studio)
    (label,) = [label for label in buttons_of(studio.card) if label.startswith("Start training")]
    form = await press(studio, label)
    message = await studio.ben.send(studio.studio, "look", attachments=[picture(7)])
    await studio.ada.context_menu(studio.studio, "Add to training set", message)
    answer = await studio.ada.submit_modal(form, {"agreed": True})
    assert "has changed since" in str([each.content for each in answer.followups])
    assert (await load_view(studio)).finetune.state is FinetuneState.DRAFT


async def test_a_draft_is_discarded_after_a_second_question(studio: Community) -> None:
    await a_draft(studio)
    assert f"Only <@{studio.ada.id}>" in private(await press(studio, "Discard", studio.ben))
    question = await press(studio, "Discard")
    assert (await load_view(studio)).finetune.state is FinetuneState.DRAFT
    asked = next(each for each in (question.response, *question.followups) if each and each.ephemeral)
    await studio.ada.click(asked, label="Delete it for good")
    await studio.clock.settle()
    assert await studio.app.services.finetuning.views.find_by_name(studio.guild.id, "Luna") is None
    assert "deleted" in text_of(studio.card).lower()
    assert studio.files == []
    assert (await create(studio)).modal, "its name is free again"


# Living with it.


async def test_a_private_finetune_is_nobody_elses(studio: Community) -> None:
    view = await a_finetune(studio)
    assert view.finetune.visibility is Visibility.PRIVATE
    for name in ("Luna", view.finetune.id, "Sol"):
        for command, options in (
            ("finetune show", {}),
            ("finetune rename", {"new_name": "Sol"}),
            ("finetune share", {}),
            ("finetune delete", {}),
            ("finetune withdraw", {}),
            ("finetune sweep", {"prompt": "x"}),
            ("imagine", {"prompt": "x"}),
        ):
            key = "finetune" if command == "imagine" else "name"
            answer = await studio.ben.slash(studio.studio, command, **{key: name}, **options)
            assert private(answer) == NOT_HERE, command
    for label in ("Draw with it", "Compare strengths", "Details", "Share"):
        answer = private(await press(studio, label, studio.ben))
        assert answer in {NOT_HERE, f"Only <@{studio.ada.id}>, who made this finetune, can share it."}
    for command, option in (("imagine", "finetune"), ("finetune show", "name")):
        assert await studio.ben.autocomplete(studio.studio, command, option, "") == []
        (choice,) = await studio.ada.autocomplete(studio.studio, command, option, "lun")
        assert choice["value"] == "Luna"
    assert "Luna" not in private(await studio.ben.slash(studio.studio, "finetune list"))
    assert "Luna" in private(await studio.ada.slash(studio.studio, "finetune list"))
    assert studio.env.errors


async def test_details_are_shown_to_its_owner_and_to_moderators(studio: Community) -> None:
    await studio.decide(moderator_role_id=studio.role.id)
    await a_finetune(studio)
    for member in (studio.ada, studio.mia):
        result = await member.slash(studio.studio, "finetune show", name="luna")
        assert "**Cost** estimated $4.00, charged $4.00" in read_card(result)


async def test_it_is_shared_with_members_and_roles_or_everybody(studio: Community) -> None:
    view = await a_finetune(studio)
    form = await studio.ada.slash(studio.studio, "finetune share", name="Luna")
    result = await studio.ada.submit_modal(form, {"who": ["shared"], "these": [studio.ben, studio.role]})
    assert f"<@{studio.ben.id}>" in private(result)
    async with studio.app.database.read() as db:
        shares = await finetunes.shares_of(db, view.finetune.id)
    assert shares == [Share("member", studio.ben.id), Share("role", studio.role.id)]
    for member in (studio.ben, studio.mia):
        (choice,) = await member.autocomplete(studio.studio, "imagine", "finetune", "")
        assert choice["value"] == "Luna"
        await studio.imagine(member, finetune="Luna")
    await studio.clock.settle()
    assert len(studio.bfl.tasks) == 3

    form = await press(studio, "Share")
    defaults = form.modal["components"][1]["component"]["default_values"]
    assert {int(each["id"]) for each in defaults} == {studio.ben.id, studio.role.id}
    await studio.ada.submit_modal(form, {"who": ["private"]})
    assert private(await studio.imagine(studio.ben, finetune="Luna")) == NOT_HERE
    assert studio.env.errors
    form = await press(studio, "Share")
    await studio.ada.submit_modal(form, {"who": ["community"]})
    assert (await load_view(studio)).finetune.visibility is Visibility.COMMUNITY
    assert await studio.ben.autocomplete(studio.studio, "imagine", "finetune", "")


async def test_a_finetune_is_renamed_and_keeps_its_usual_strength_and_model(studio: Community) -> None:
    await a_finetune(studio)
    await studio.ada.slash(studio.studio, "finetune rename", name="Luna", new_name="Moon", description="a white cat")
    view = await load_view(studio, "Moon")
    assert view.finetune.description == "a white cat"
    result = await studio.ada.slash(
        studio.studio, "finetune default", name="Moon", strength=0.9, model="flux-pro-finetuned"
    )
    assert private(result) == (
        "From now on FLUX.1 [pro] with a finetune draws “Moon” at strength 0.9, unless a command says otherwise."
    )
    await studio.imagine(finetune="Moon")
    await studio.clock.settle()
    task = studio.bfl.tasks[-1]
    assert (task.endpoint, task.body["finetune_strength"]) == ("flux-pro-finetuned", 0.9)


async def test_who_withdraws_freezes_the_finetune_until_a_moderator_decides(studio: Community) -> None:
    await studio.decide(moderator_role_id=studio.role.id)
    await a_draft(studio)
    message = await studio.ben.send(studio.studio, "look", attachments=[picture(7)])
    await studio.ada.context_menu(studio.studio, "Add to training set", message)
    await start(studio)
    await studio.skip(2 * HOUR)
    assert private(await studio.mia.slash(studio.studio, "finetune withdraw", name="Luna")) == (
        "None of its pictures is yours."
    )
    form = await studio.ben.slash(studio.studio, "finetune withdraw", name="Luna")
    await studio.ben.submit_modal(form, {"agreed": False})
    assert (await load_view(studio)).usable
    form = await studio.ben.slash(studio.studio, "finetune withdraw", name="Luna")
    result = await studio.ben.submit_modal(form, {"agreed": True})
    assert "1 picture is withdrawn" in private(result)
    assert not (await load_view(studio)).usable
    assert "is frozen" in private(await studio.imagine(finetune="Luna"))
    await studio.pass_time(5)
    (question,) = [card for card in studio.cards if "Keep the finetune" in buttons_of(card)]
    await studio.mia.click(question, label="Keep the finetune")
    assert (await load_view(studio)).usable
    assert studio.env.errors


async def test_strengths_are_compared_with_the_price_first_and_the_best_is_kept(studio: Community) -> None:
    await a_finetune(studio)
    before = len(studio.bfl.tasks)
    result = await studio.ada.slash(
        studio.studio, "finetune sweep", name="Luna", prompt="on the moon", strengths="0.8, 1.6"
    )
    offer = result.response
    assert offer
    assert "4 pictures, about $0.28" in read_card(result)
    assert len(studio.bfl.tasks) == before
    await studio.ada.click(offer, label="Draw them")
    await studio.ada.click(offer, label="Draw them")
    await studio.pass_time(40)
    assert len(studio.bfl.tasks) == before + 4, "an offer is taken once"
    strengths = sorted(task.body["finetune_strength"] for task in studio.bfl.tasks[before:])
    assert strengths == [0.8, 0.8, 1.6, 1.6]
    assert len({task.seed for task in studio.bfl.tasks[before:]}) == 2
    sheet = studio.cards[-1]
    assert len(sheet.attachments) == 1
    assert NOT_HERE in private(await studio.ben.click(sheet, label="Keep 1.6"))
    await studio.ada.click(sheet, label="Keep 1.6")
    assert (await load_view(studio)).finetune.strength == 1.6


async def test_what_cannot_be_compared_is_refused_before_any_price(studio: Community) -> None:
    await a_finetune(studio)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"strengths": "0.5 3"}, "Finetune strength must be a number between 0 and 2."),
        ({"strengths": "1 1"}, "Each strength is compared once."),
        ({"seeds": 6}, "A comparison has 2 to 12 pictures: strengths times seeds. This would be 24."),
    ]
    for options, sentence in cases:
        answer = await studio.ada.slash(studio.studio, "finetune sweep", name="Luna", prompt="x", **options)
        assert private(answer) == sentence
    assert len(studio.env.errors) == len(cases)


# Drawing.


async def test_the_first_picture_is_drawn_from_the_card(studio: Community) -> None:
    await a_finetune(studio)
    form = await press(studio, "Draw with it")
    await studio.ada.submit_modal(form, {"prompt": "on the moon"})
    await studio.pass_time(30)
    task = studio.bfl.tasks[-1]
    assert task.endpoint == "flux-pro-1.1-ultra-finetuned"
    assert task.body["finetune_strength"] == 1.2
    assert "TOK" in task.prompt
    assert studio.cards[-1].attachments


async def test_imagine_draws_with_a_finetune_and_its_buttons_go_on_with_it(studio: Community) -> None:
    await studio.decide(allowed_models=("flux-dev",))  # of models without a finetune
    await a_finetune(studio)
    models = await studio.ada.autocomplete(studio.studio, "imagine", "model", "", finetune="Luna")
    assert "flux-pro-1.0-canny-finetuned" in [each["value"] for each in models]
    before = len(studio.bfl.tasks)
    await studio.imagine(prompt="TOK as a pirate", finetune="luna", finetune_strength=0.7, model="flux-pro-1.1-ultra")
    await studio.pass_time(30)
    card = studio.cards[-1]
    view = await studio.view(job_of(card))
    assert (view.request.finetune_name, view.request.prompt) == ("Luna", "TOK as a pirate")
    await studio.ada.click(card, label="Again")
    form = await studio.ada.click(card, label="Edit prompt")
    await studio.ada.submit_modal(form, {"prompt": "as a queen"})
    await studio.ada.click(card, label="Vary")
    await studio.pass_time(30)
    tasks = studio.bfl.tasks[before:]
    assert len(tasks) == 4
    assert {task.endpoint for task in tasks} == {"flux-pro-1.1-ultra-finetuned"}
    assert {task.body["finetune_strength"] for task in tasks} == {0.7}
    assert sum(bool(task.body.get("image_prompt")) for task in tasks) == 1


@pytest.mark.parametrize(
    ("model", "role"),
    [
        ("flux-pro-1.0-canny-finetuned", "control_image"),
        ("flux-pro-1.0-depth-finetuned", "control_image"),
        ("flux-pro-1.1-ultra-finetuned", "image_prompt"),
    ],
)
async def test_a_reference_is_what_the_model_makes_of_it(studio: Community, model: str, role: str) -> None:
    await a_finetune(studio)
    await studio.imagine(finetune="Luna", model=model, reference=picture(50))
    await studio.clock.settle()
    task = studio.bfl.tasks[-1]
    assert task.endpoint == model
    assert task.body[role]


async def test_a_mask_is_drawn_into_by_the_model_that_fills(studio: Community) -> None:
    await a_finetune(studio)
    await studio.imagine(finetune="Luna", reference=picture(50), mask=picture(51))
    await studio.clock.settle()
    task = studio.bfl.tasks[-1]
    assert task.endpoint == "flux-pro-1.0-fill-finetuned"
    assert task.body["image"]
    assert task.body["mask"]


async def test_what_does_not_go_together_is_refused_in_private(studio: Community) -> None:
    await a_finetune(studio)
    before = len(studio.bfl.tasks)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"finetune_strength": 1.0}, "“finetune_strength” and “mask” need a “finetune”: choose one."),
        ({"mask": picture(1)}, "“finetune_strength” and “mask” need a “finetune”: choose one."),
        ({"finetune": "Luna", "model": "flux-2-pro"}, "“flux-2-pro” does not draw with “Luna”. What does: FLUX 1.1"),
        ({"finetune": "Luna", "model": "flux-pro-1.0-canny"}, "needs an image"),
        ({"finetune": "Luna", "model": "flux-pro-1.1-ultra", "mask": picture(1)}, "takes no mask"),
        ({"finetune": "Luna", "raw": True}, "has no 'raw' setting"),
        ({"finetune": "Sol"}, NOT_HERE),
        ({"finetune": "Luna", "prompt": " "}, "the prompt is empty"),
    ]
    for options, sentence in cases:
        assert sentence in private(await studio.imagine(**options))
    assert len(studio.env.errors) == len(cases)
    assert len(studio.bfl.tasks) == before
    with pytest.raises(SetupError):
        await studio.imagine(finetune="Luna", finetune_strength=2.5)


async def test_the_form_of_advanced_settings_is_the_finetuned_models(studio: Community) -> None:
    await a_finetune(studio)
    form = await studio.imagine(finetune="Luna", model="flux-pro-finetuned", advanced=True)
    await studio.ada.submit_modal(form, {"steps": "12"})
    await studio.clock.settle()
    assert studio.bfl.tasks[-1].body["steps"] == 12


async def test_show_brings_the_card_of_a_finetune_anywhere(studio: Community) -> None:
    view = await a_finetune(studio)
    await studio.ada.slash(studio.studio, "show", job=view.finetune.id)
    assert "Draw with it" in buttons_of(studio.cards[-1])
    details = await studio.ada.context_menu(studio.studio, "Show details", studio.cards[-1])
    assert "**Cost** estimated $4.00, charged $4.00" in read_card(details)
    assert private(await studio.ben.slash(studio.studio, "show", job=view.finetune.id)) == NOT_HERE
    assert studio.env.errors


async def test_a_draft_is_shown_anew_where_its_owner_asks_and_only_there(studio: Community) -> None:
    view = await a_draft(studio)
    first = studio.card
    answer = private(await studio.ben.slash(studio.studio, "show", job=view.finetune.id))
    assert f"Only <@{studio.ada.id}> can move it here." in answer
    assert studio.env.errors
    await studio.ada.slash(studio.studio, "show", job=view.finetune.id)
    assert studio.card.id != first.id
    assert (await load_view(studio)).job.message_id == studio.card.id


# Elsewhere, and where a moderator or the admin is needed.


async def test_at_astria_the_class_is_asked_for_and_its_packs_are_offered(make_community: MakeCommunity) -> None:
    studio = await make_community(trainers=["astria", "bfl"])
    packs = await studio.ada.autocomplete(studio.studio, "finetune create", "pack", "")
    assert packs
    assert all(each["value"] for each in packs)
    view = await a_draft(studio, pictures=4)
    assert view.trainer.key == "astria"
    assert "plain noun" in text_of(studio.cards[0])
    form = await press(studio, "Options")
    fields = [each["component"]["custom_id"] for each in form.modal["components"]]
    assert fields == ["trigger", "class_name", "description", "steps", "preset"]
    values = {"class_name": "cat", "preset": ["flux-lora-focus"]}
    await studio.ada.submit_modal(form, values)
    view = await load_view(studio)
    assert (view.spec.class_name, view.spec.parameters) == ("cat", {"preset": "flux-lora-focus"})
    await start(studio)
    await studio.skip(2 * HOUR)
    assert (await load_view(studio)).usable
    await studio.imagine(finetune="Luna", finetune_strength=0.8)
    await studio.skip(300, step=10)
    assert studio.cards[-1].attachments


async def test_a_pack_is_asked_only_for_what_it_does_not_decide(make_community: MakeCommunity) -> None:
    studio = await make_community(trainers=["astria"])
    given = archive(*(picture(seed) for seed in range(4)))

    wrong = await create(studio, archive=given, pack="911", class_noun="teapot")
    assert "“Pets on holiday” draws cat, dog" in private(wrong)
    assert len(studio.env.errors) == 1
    await create(studio, archive=given, pack="911", class_noun="cat")

    assert (await load_view(studio)).price == 2_200_000  # 400 steps at most, and the pictures of a cat
    form = await press(studio, "Options")
    assert [each["component"]["custom_id"] for each in form.modal["components"]] == ["description"]
    await studio.ada.submit_modal(form, {"description": "a grey cat"})
    assert (await load_view(studio)).finetune.description == "a grey cat"


async def test_a_training_above_the_limit_goes_back_to_the_draft_or_to_a_moderator(studio: Community) -> None:
    await studio.decide(confirm_above=1_000_000, moderator_role_id=studio.role.id)
    await a_draft(studio)
    await start(studio)
    assert (await load_view(studio)).finetune.state is FinetuneState.ASKING
    assert "Only the owner" in private(await press(studio, "Back to the draft", studio.ben))
    await press(studio, "Back to the draft")
    assert (await load_view(studio)).finetune.state is FinetuneState.DRAFT
    await start(studio)
    await studio.clock.settle()
    (question,) = [card for card in studio.cards if "Approve" in buttons_of(card)]
    await studio.mia.click(question, label="Approve")
    assert (await load_view(studio)).finetune.state is FinetuneState.TRAINING


async def test_the_admin_puts_down_what_became_of_a_training_that_nobody_knows_of(studio: Community) -> None:
    await a_draft(studio)
    studio.bfl.faults.append(Fault("train", loses_the_answer()))
    studio.bfl.faults.append(Fault("other", answers(404), times=1000))
    await start(studio)
    await studio.skip(2 * HOUR)
    view = await load_view(studio)
    assert view.finetune.state is FinetuneState.UNKNOWN
    assert view.training
    job = view.training.id
    settle = "admin settle"
    refused = await studio.olga.slash(studio.studio, settle, job=job, charged_usd=4.0)
    assert "Only the bot's own admins" in private(refused)
    client = studio.app.client
    client.services = replace(client.services, admin_user_ids=frozenset({studio.olga.id}))
    assert "Say what you have found out" in private(await studio.olga.slash(studio.studio, settle, job=job))
    assert "There is no job" in private(await studio.olga.slash(studio.studio, settle, job="x-1", charged_usd=1.0))
    reply = private(await studio.olga.slash(studio.studio, settle, job=f"`{job}`", charged_usd=4.0))
    assert reply == f"`{job}` is put down as charged $4.00."
    assert (await load_view(studio)).cost == 4_000_000
    assert len(studio.env.errors) == 3


async def test_where_training_was_withdrawn_another_trainer_is_one_press_away(make_community: MakeCommunity) -> None:
    studio = await make_community(trainers=["bfl", "vimmerse"])
    await by_form(studio, {"pictures": [picture(seed) for seed in range(3)]}, trainer="bfl", iterations=200)
    studio.bfl.faults.append(Fault("train", answers(404), times=10))
    await start(studio)
    await studio.skip(HOUR)
    view = await load_view(studio)
    assert view.finetune.state is FinetuneState.DRAFT
    assert view.cost == 0
    assert "Only <@" in private(await press(studio, "Use Vimmerse FLUX instead", studio.ben))
    await press(studio, "Use Vimmerse FLUX instead")
    view = await load_view(studio)
    assert (view.trainer.key, view.spec.parameters, len(view.pictures)) == ("vimmerse-flux", {}, 3)


async def test_an_edit_is_learned_from_pairs_and_drawn_on_another_picture(make_community: MakeCommunity) -> None:
    studio = await make_community(trainers=["vimmerse"])
    wrong = await create(studio, trainer="vimmerse-kontext")
    assert "trains edits: choose “general” as what it is" in private(wrong)
    assert studio.env.errors
    options = {"kind": "general", "trainer": "vimmerse-kontext", "instruction": "turn the car red"}
    await by_form(studio, {"pictures": [picture(seed) for seed in range(4)]}, **options)
    form = await press(studio, "Options")
    fields = [each["component"]["custom_id"] for each in form.modal["components"]]
    assert fields == ["trigger", "instruction", "description", "num_iterations"]
    await start(studio)
    await studio.skip(2 * HOUR)
    assert (await load_view(studio)).usable
    assert "Compare strengths" not in buttons_of(studio.cards[0])
    answer = await studio.ada.slash(studio.studio, "finetune sweep", name="Luna", prompt="x")
    assert "has no strengths to compare" in private(answer)
    form = await press(studio, "Draw with it")
    await studio.ada.submit_modal(form, {"prompt": "a car", "picture": [picture(60)]})
    await studio.skip(300, step=10)
    assert studio.cards[-1].attachments, text_of(studio.cards[-1])
    assert "needs an image" in private(await studio.imagine(finetune="Luna"))
    assert studio.env.errors
