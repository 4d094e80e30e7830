"""The collection that the sandbox's images are minted in: made at the first start, as an admin makes it."""

import json
from pathlib import Path

from bot.assembly.publishing import story_of
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import Refused
from bot.http import client as http
from bot.story.node.values import Address
from storage.database import open_database

_NAME, _SYMBOL = "Night Owl Studio", "OWL"


async def with_collection(settings: Settings, folder: Path) -> Settings:
    """The settings with the collection of an earlier start, if the chain still has it, or with a new one."""
    remembered = folder / "collection.json"
    address = json.loads(remembered.read_text(encoding="utf-8")) if remembered.exists() else None
    database = await open_database(settings.data_dir / "bot.db")
    try:
        async with http.session() as session:
            story = story_of(settings, session, database, SystemClock())
            registrar = story.registrar
            try:
                collection = await registrar.describe_collection(Address(address)) if address else None
            except Refused:  # the chain's own file was deleted
                collection = None
            if collection is None:
                collection = await registrar.create_collection(
                    name=_NAME,
                    symbol=_SYMBOL,
                    contract_uri="",
                    mint_fee_recipient=story.wallet.address,
                    public=False,
                )
                remembered.write_text(json.dumps(collection.address), encoding="utf-8")
    finally:
        await database.close()
    return settings.model_copy(update={"spg_nft_contract_address": collection.address})
