"""The pictures of a message, wherever Discord puts them: attached, forwarded, in a layout, or embedded."""

import hashlib
from typing import Any

import discord
import pytest
import simcord

from bot.discord.attachments import files_of
from standins.discord.names import replace_letters
from tests.conftest import MakeCommunity
from tests.drawing.test_edit import photo
from tests.finetuning.test_commands import a_draft, load_view, picture, press
from tests.registering.test_commands import read_card
from tests.scenes.community import Community, job_of, private


@pytest.fixture
async def owls(make_community: MakeCommunity) -> Community:
    """A community that trains and registers."""
    return await make_community(trainers=["bfl"], story={})


def post_layout(community: Community, *files: tuple[str, bytes], folded: bool = False) -> discord.Message:
    """A message of another bot, made of components: its pictures are in a gallery and, the last, a file component.

    Like Discord's, it has no attachments.
    """
    backend = community.env.backend
    bot = community.env.create_user("other-bot", bot=True)
    community.guild.add_member(bot)
    media: list[dict[str, Any]] = []
    for name, content in files:
        shown, _ = replace_letters(name)
        stored = backend.store_attachments(community.studio.id, [(shown, content)])[0]
        media.append(
            {
                "url": stored["url"],
                "proxy_url": stored["proxy_url"],
                "content_type": stored["content_type"],
                "attachment_id": stored["id"],
            }
        )
    galleries = [media[:-1][at : at + 10] for at in range(0, len(media) - 1, 10)]  # of ten at most
    shown_in: list[dict[str, Any]] = [
        {"type": 12, "id": at, "items": [{"media": each} for each in gallery]}
        for at, gallery in enumerate(galleries, 4)
    ]
    shown_in.append({"type": 13, "id": 3, "file": media[-1], "name": files[-1][0], "size": len(files[-1][1])})
    if folded:
        shown_in = [{"type": 17, "id": 1, "components": shown_in}]
    message = backend.create_message(community.studio.id, bot.id, "a layout")
    message.content, message.components = "", shown_in
    message.flags = 1 << 15
    return simcord.results.to_discord_message(community.env, message)


def embed_picture(community: Community, content: bytes, **more: Any) -> discord.Message:
    """A message of a webhook or bot with an embed; Discord's proxy has its picture."""
    backend = community.env.backend
    stored = backend.store_attachments(community.studio.id, [("owl.jpg", content)])[0]
    image = {"url": "https://example.com/pictures/owl.jpg", "proxy_url": stored["url"]}
    message = backend.create_message(community.studio.id, community.ben.id, "look")
    message.embeds = [{"type": "rich", "image": image} | more]
    return simcord.results.to_discord_message(community.env, message)


async def test_a_reader_sees_each_picture_once(owls: Community) -> None:
    layout = post_layout(owls, picture(1), picture(2), picture(3), folded=True)
    assert layout.attachments == []
    assert [each.name for each in files_of(layout)] == ["picture-1.jpg", "picture-2.jpg", "picture-3.jpg"]
    post = await owls.ben.send(owls.studio, "look", attachments=[picture(4), picture(5)])
    forwarded = await owls.mia.forward(post, owls.studio)
    assert forwarded.attachments == []
    assert [each.url for each in files_of(forwarded)] == [each.url for each in post.attachments]


async def test_only_discord_is_ever_called_for_an_embedded_picture(owls: Community) -> None:
    (file,) = files_of(embed_picture(owls, b"x"))
    assert file.name == "owl.jpg"
    assert file.url.startswith("https://cdn.simcord.invalid/")
    page = {"type": "article", "thumbnail": {"url": "https://example.com/a.png", "proxy_url": "https://example.com/b"}}
    assert files_of(embed_picture(owls, b"x", **page)) == []
    assert files_of(embed_picture(owls, b"x", image={"url": "https://example.com/pictures/owl.jpg"})) == []
    assert files_of(embed_picture(owls, b"x", image={"url": "http://[no address"})) == []


@pytest.mark.parametrize("way", ["forwarded", "layout", "embed"])
async def test_verify_looks_at_whatever_shows_a_picture(owls: Community, way: str) -> None:
    name, content = picture(1)
    if way == "forwarded":
        message = await owls.mia.forward(
            await owls.ben.send(owls.studio, "look", attachments=[(name, content)]), owls.studio
        )
    elif way == "layout":
        message = post_layout(owls, picture(2), (name, content))
    else:
        message = embed_picture(owls, content)
    for shown in (
        await owls.ada.context_menu(owls.studio, "Verify this picture", message),
        await owls.ada.slash(owls.studio, "verify", link=message.jump_url),
    ):
        assert f"SHA-256 `{hashlib.sha256(content).hexdigest()}`" in read_card(shown)


async def test_verify_never_advises_what_was_just_done(owls: Community) -> None:
    words = await owls.ben.send(owls.studio, "no picture")
    answer = private(await owls.ada.context_menu(owls.studio, "Verify this picture", words))
    assert answer.startswith("That message has no JPEG, PNG or WebP.")
    assert "Apps ›" not in answer
    answer = private(await owls.ada.slash(owls.studio, "verify", link=words.jump_url))
    assert "Apps › “Verify this picture” shows it to the bot" in answer
    assert owls.env.errors is not None


@pytest.mark.parametrize("way", ["forwarded", "layout"])
async def test_any_message_s_picture_is_edited_from_its_menu_or_its_link(owls: Community, way: str) -> None:
    file = photo()
    if way == "forwarded":
        message = await owls.mia.forward(await owls.ben.send(owls.studio, "look", attachments=[file]), owls.studio)
    else:
        message = post_layout(owls, file)
    form = await owls.ada.context_menu(owls.studio, "Edit this picture", message)
    await owls.ada.submit_modal(form, {"instruction": "make it night", "model": ["flux-kontext-pro"]})
    await owls.ada.slash(owls.studio, "edit", instruction="make it day", of=message.jump_url)
    await owls.pass_time(20)
    assert [task.prompt for task in owls.bfl.tasks] == ["make it night", "make it day"]
    assert all(task.body["input_image"] for task in owls.bfl.tasks)


async def test_of_several_pictures_the_form_asks_which_is_edited(owls: Community) -> None:
    message = await owls.ben.send(owls.studio, "look", attachments=[picture(1), picture(2)])
    form = await owls.ada.context_menu(owls.studio, "Edit this picture", message)
    assert form.modal
    assert "Which picture?" in [each.get("label") for each in form.modal["components"]]
    await owls.ada.submit_modal(form, {"instruction": "make it night", "picture": ["1"], "model": ["flux-kontext-pro"]})
    await owls.pass_time(20)
    assert len(owls.bfl.tasks) == 1
    answer = private(await owls.ada.slash(owls.studio, "edit", instruction="make it day", of=message.jump_url))
    assert answer.startswith("That message has 2 pictures.")
    assert owls.env.errors is not None


# A training set names who gave each picture.


async def test_a_forwarded_picture_is_the_contribution_of_who_posted_it(owls: Community) -> None:
    await a_draft(owls)
    post = await owls.ben.send(owls.studio, "look", attachments=[picture(7)])
    forwarded = await owls.mia.forward(post, owls.review)
    result = await owls.ada.context_menu(owls.review, "Add to training set", forwarded)
    assert private(result) == "Training set of “Luna”: Taken: 1 picture."
    added = (await load_view(owls)).pictures[-1]
    assert (added.contributor_id, added.added_by, added.source) == (owls.ben.id, owls.ada.id, post.jump_url)


async def test_a_forwarded_picture_whose_original_cannot_be_read_is_refused_with_that_reason(owls: Community) -> None:
    view = await a_draft(owls)
    post = await owls.ben.send(owls.studio, "look", attachments=[picture(7)])
    forwarded = await owls.mia.forward(post, owls.review)
    await owls.ben.delete(post)
    answer = private(await owls.ada.context_menu(owls.review, "Add to training set", forwarded))
    assert "That message was forwarded, and a forwarded message does not say whose pictures it has." in answer
    assert "its original cannot be read: That message is gone, or the bot cannot see it." in answer
    hidden = owls.guild.create_text_channel(
        "hidden", overwrites={owls.ada: discord.PermissionOverwrite(view_channel=False)}
    )
    secret = await owls.mia.forward(await owls.ben.send(hidden, "look", attachments=[picture(8)]), owls.studio)
    answer = private(await owls.ada.context_menu(owls.studio, "Add to training set", secret))
    assert "That message is gone, or you or the bot cannot see it." in answer
    assert len((await load_view(owls)).pictures) == len(view.pictures)
    assert owls.env.errors is not None


async def test_a_forwarded_card_of_the_bot_gives_the_bot_s_own_pictures(owls: Community) -> None:
    card = await owls.drawn()
    view = await a_draft_beside(owls)
    forwarded = await owls.mia.forward(card, owls.review)
    result = await owls.ada.context_menu(owls.review, "Add to training set", forwarded)
    assert private(result) == "Training set of “Luna”: Taken: 1 picture."
    added = (await load_view(owls)).pictures[-1]
    assert added.contributor_id == owls.ada.id
    assert added.name.startswith(job_of(card))
    assert len(view.pictures) == 3


async def a_draft_beside(community: Community) -> Any:
    form = await community.ada.slash(community.review, "finetune create", name="Luna", kind="character")
    await community.ada.submit_modal(form, {"pictures": [picture(seed) for seed in range(3)]})
    return await load_view(community)


async def test_pictures_of_a_layout_join_a_training_set(owls: Community) -> None:
    await a_draft(owls)
    message = post_layout(owls, picture(7), picture(8))
    result = await owls.ada.context_menu(owls.studio, "Add to training set", message)
    assert private(result) == "Training set of “Luna”: Taken: 2 pictures."
    assert {each.contributor_id for each in (await load_view(owls)).pictures[-2:]} == {message.author.id}
    form = await press(owls, "Add pictures")
    sent = await owls.ada.submit_modal(form, {"links": post_layout(owls, picture(9), picture(10)).jump_url})
    assert private(sent) == "Taken: 2 pictures."
