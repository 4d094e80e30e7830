"""What Discord is told about the bot, and how a failed command is explained."""

from typing import Any

import discord
import pytest
from simcord import SetupError

from bot.client import Client
from bot.errors import Broken, Refused, Unavailable
from bot.workflows.request import ImageRequest
from tests.community import Community, buttons_of


def payloads(client: Client) -> dict[str, dict[str, Any]]:
    return {command.name: command.to_dict(client.tree) for command in client.tree.get_commands()}


async def newest(community: Community) -> ImageRequest:
    """The request whose card is the newest message."""
    custom_id = buttons_of(community.cards[-1])["Cancel"]
    return (await community.view(custom_id.rpartition(":")[2])).request


async def test_the_bot_asks_for_the_guilds_intent_and_keeps_no_messages_or_members(community: Community) -> None:
    client = community.app.client
    assert client.intents == discord.Intents(guilds=True)
    assert len(client.cached_messages) == 0
    assert client.allowed_mentions
    assert not any((client.allowed_mentions.everyone, client.allowed_mentions.users, client.allowed_mentions.roles))


async def test_every_command_is_for_communities_only(community: Community) -> None:
    told = payloads(community.app.client)
    assert sorted(told) == [
        "Edit this picture",
        "Show details",
        "admin",
        "edit",
        "history",
        "imagine",
        "review",
        "settings",
        "show",
    ]
    assert all(each["contexts"] == [0] and each["integration_types"] == [0] for each in told.values())
    assert told["admin"]["default_member_permissions"] == discord.Permissions(manage_guild=True).value


async def test_discord_is_told_the_commands_only_when_they_have_changed(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(discord.app_commands.CommandTree, "sync", _count(told))
    await community.restart()
    assert told == []


def _count(told: list[int]) -> Any:
    async def sync(self: object) -> None:
        told.append(1)

    return sync


@pytest.mark.parametrize("error", [Refused("Not so."), Unavailable("Later."), Broken("Ouch.")])
async def test_a_failed_command_is_explained_to_the_one_who_typed_it(
    community: Community, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(community.app.services.requests, "accept", fail)

    result = await community.imagine()

    assert community.env.errors
    assert [(each.content, each.ephemeral) for each in result.followups] == [(str(error), True)]
    assert community.cards == []


async def test_a_bad_prompt_is_refused_with_one_private_message(community: Community) -> None:
    for prompt, sentence in (("  ", "the prompt is empty"), ("x" * 4001, "4,001 characters")):
        result = await community.imagine(prompt=prompt, model="flux-dev")
        assert result.ephemeral
        assert result.response
        assert sentence in result.response.content
    assert community.env.errors
    assert community.cards == []


async def test_a_channel_where_the_bot_could_not_deliver_is_named_before_anything_is_asked(
    community: Community,
) -> None:
    everybody = community.guild.default_role
    closed = community.guild.create_text_channel(
        "closed", overwrites={everybody: discord.PermissionOverwrite(attach_files=False)}
    )

    result = await community.ada.slash(closed, "imagine", prompt="a lighthouse")

    assert community.env.errors
    assert result.ephemeral
    assert result.response
    assert "“Attach Files”" in result.response.content
    assert closed.history() == []


async def test_only_those_who_manage_the_server_see_its_settings(community: Community) -> None:
    with pytest.raises(SetupError):
        await community.ada.slash(community.studio, "admin settings")
    result = await community.olga.slash(community.studio, "admin settings", moderator_role=community.role)
    assert result.response
    assert f"<@&{community.role.id}>" in result.response.content


async def test_the_advanced_form_goes_on_after_a_restart(community: Community) -> None:
    opened = await community.imagine(model="flux-dev", advanced=True)
    assert opened.modal
    await community.restart()

    result = await community.ada.submit_modal(opened, {"steps": "12", "guidance": "2.5"})

    assert result.acknowledged
    request = await newest(community)
    assert request.parameters["steps"] == 12
    assert request.parameters["guidance"] == 2.5


async def test_a_form_of_somebody_else_or_of_yesterday_is_not_accepted(community: Community) -> None:
    opened = await community.imagine(model="flux-dev", advanced=True)
    await community.pass_time(1801)
    result = await community.ada.submit_modal(opened, {"steps": "12"})
    assert [each.content for each in result.followups] == [
        "This form was open for too long. Please type the command again."
    ]


async def test_a_settings_default_is_used_and_never_in_the_way(community: Community) -> None:
    await community.ada.slash(community.studio, "settings", aspect_ratio="3:2", safety_tolerance=6, count=2)
    await community.imagine(model="flux-pro-1.1-ultra")
    request = await newest(community)
    assert (request.count, request.parameters["aspect_ratio"], request.parameters["safety_tolerance"]) == (2, "3:2", 2)
