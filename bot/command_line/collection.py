"""`python -m bot collection`: the NFT collection that images are minted in, made once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.assembly.publishing import Story, story_of
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import Refused
from bot.http import client as http
from bot.story.node.values import address, coins
from bot.story.registrar import Collection
from storage.database import open_database


async def create(
    settings: Settings, *, name: str, symbol: str, contract_uri: str, mint_fee_recipient: str | None, public: bool
) -> str:
    """Make a collection that belongs to the bot's wallet; what it is, and what to put into the settings.

    It is signed and saved before it is sent: asked again after a crash, it finishes what was begun.

    Raises:
        BotError: with a sentence that says what to mend.
    """
    async with _story(settings) as story:
        made = await story.registrar.create_collection(
            name=name,
            symbol=symbol,
            contract_uri=contract_uri,
            mint_fee_recipient=address(mint_fee_recipient) if mint_fee_recipient else story.wallet.address,
            public=public,
        )
        line = f"SPG_NFT_CONTRACT_ADDRESS={made.address}"
        return f"{describe(made, story)}\n\nPut this line into .env, then start the bot:\n\n{line}"


async def show(settings: Settings, given: str | None) -> str:
    """What the chain says about a collection: the one of the settings, where none is given.

    Raises:
        BotError: with a sentence that says what to mend.
    """
    text = given or settings.spg_nft_contract_address
    if text is None:
        raise Refused("Which? Give its address, or set SPG_NFT_CONTRACT_ADDRESS.")
    async with _story(settings) as story:
        return describe(await story.registrar.describe_collection(address(text)), story)


@asynccontextmanager
async def _story(settings: Settings) -> AsyncGenerator[Story]:
    database = await open_database(settings.data_dir / "bot.db")
    try:
        async with http.session() as session:
            yield story_of(settings, session, database, SystemClock())
    finally:
        await database.close()


def describe(collection: Collection, story: Story) -> str:
    """A collection in lines for the admin."""
    minting = "open" if collection.minting_open else "CLOSED"
    whose = "for everybody (a private collection is safer)" if collection.public else "for its minters alone"
    may = "may" if collection.may_mint else "may NOT"
    owns = " and owns it" if collection.owned_by_wallet else ""
    lines = [
        f"{collection.name} ({collection.symbol}), {collection.address}",
        f"    on {story.network.label}: {story.network.address_link(collection.address)}",
        f"    minting: {minting}, {whose}",
        f"    mint fee: {coins(collection.mint_fee, story.network.coin) if collection.mint_fee else 'none'}",
        f"    the bot's wallet {story.wallet.address} {may} mint in it{owns}",
    ]
    if collection.supply is not None:
        lines.append(f"    minted so far: {collection.supply}")
    return "\n".join(lines)
