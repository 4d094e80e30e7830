"""`/wallet`: a member proves that a wallet is theirs, sees which one is linked, and forgets it."""

import discord
from discord import app_commands
from discord.ext import commands
from discord.ui import TextInput

from bot import limits
from bot.cards.registering.wallet import wallet_card, wallet_linked_card, wallet_text
from bot.discord.buttons import Answer, Form, Press, Subject, acknowledge, read_fields
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from cogs.base.asking import reply
from cogs.base.options import Address


class Wallet(commands.GroupCog, group_name="wallet", group_description="The wallet that what you register belongs to"):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(address="Your wallet's address: 0x and 40 more digits. Never your private key.")
    async def link(self, interaction: Interaction, address: Address) -> None:
        """Link your wallet: you sign a message with it, which costs nothing."""
        await acknowledge(interaction, Answer.PRIVATE)
        who = interaction.user
        wallets = self._client.services.registering.wallets
        challenge = await wallets.challenge(who.id, address, name=who.name, guild_id=interaction.guild_id)
        await reply(interaction, wallet_card(challenge, who.id))

    @app_commands.command()
    async def show(self, interaction: Interaction) -> None:
        """Show which wallet you have linked."""
        await acknowledge(interaction, Answer.PRIVATE)
        wallets = self._client.services.registering.wallets
        text = wallet_text(await wallets.of(interaction.user.id), wallets.network)
        await interaction.edit_original_response(content=text)

    @app_commands.command()
    async def unlink(self, interaction: Interaction) -> None:
        """Forget your wallet. What is registered already stays where it is."""
        await acknowledge(interaction, Answer.PRIVATE)
        assert interaction.guild_id, "commands are in communities only"
        who = interaction.user.id
        address = await self._client.services.registering.wallets.unlink(who, guild_id=interaction.guild_id)
        await interaction.edit_original_response(
            content=f"`{address}` is not linked any more. What you register from now on belongs to the community's "
            "wallet, unless you name another one. What is registered or submitted already stays as it is."
        )


async def open_signature(interaction: Interaction, subject: Subject) -> None:
    _check_own(interaction, subject)
    form = Form("wal:signed", subject, "Link your wallet")
    field = TextInput[Form](
        style=discord.TextStyle.paragraph, max_length=limits.FIELD_CHARACTERS, required=True, placeholder="0x…"
    )
    form.ask("signature", "The signature", field, "What was shown after you signed: all of it, or 0x and 130 digits.")
    await interaction.response.send_modal(form)


async def send_signature(interaction: Interaction, subject: Subject) -> None:
    _check_own(interaction, subject)
    assert interaction.guild_id, "commands are in communities only"
    wallets = interaction.client.services.registering.wallets
    linked = await wallets.prove(
        interaction.user.id, read_fields(interaction)["signature"], guild_id=interaction.guild_id
    )
    await reply(interaction, wallet_linked_card(linked, wallets.network))


def _check_own(interaction: Interaction, subject: Subject) -> None:
    """
    Raises:
        Refused: the message to sign is another member's.
    """
    if subject != str(interaction.user.id):
        raise Refused("This is another member's. Link your own wallet with `/wallet link`.")


async def setup(client: Client) -> None:
    client.presses.register("wal:sign", Press(open_signature, Answer.FORM))
    client.presses.register("wal:signed", Press(send_signature, Answer.SILENT))
    await client.add_cog(Wallet(client))
