"""The metadata files for people to read: as they would be published, or as they are."""

import json

from bot.story import metadata
from bot.workflows.base.files import Files
from bot.workflows.registering.types import Terms
from storage.registering.registrations import Registration

IP_FILE, NFT_FILE = "ip-metadata.json", "nft-metadata.json"
_LINK = "(a link to the picture on IPFS, which is known when it is pinned)"


def plan_files(terms: Terms) -> dict[str, bytes]:
    """The files by their names, laid out for reading, before the picture has an address."""
    planned = metadata.build(terms.content, _LINK)
    return {IP_FILE: _lay_out(planned.ip), NFT_FILE: _lay_out(planned.nft)}


async def load_files(files: Files, registration: Registration) -> dict[str, bytes] | None:
    """The files by their names, byte for byte as they are pinned; None before they are serialised.

    Raises:
        Broken: one of them is missing or damaged.
    """
    if registration.ip_metadata is None or registration.nft_metadata is None:
        return None
    return {
        IP_FILE: await files.read(registration.ip_metadata),
        NFT_FILE: await files.read(registration.nft_metadata),
    }


def _lay_out(content: bytes) -> bytes:
    return json.dumps(json.loads(content), indent=2, ensure_ascii=False).encode()
