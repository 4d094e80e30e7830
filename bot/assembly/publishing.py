"""Makes what registers images from the settings: the wallet and its chain, the collection, the pinning services."""

from dataclasses import dataclass

import aiohttp
from pydantic import SecretStr

from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.errors import Broken, Refused
from bot.pinning import pinata
from bot.pinning.interface import PinningService
from bot.pinning.kubo import Kubo
from bot.pinning.pinata import Pinata
from bot.pinning.pins import Pins
from bot.story.node.chain import Chain
from bot.story.node.networks import NETWORKS, Network
from bot.story.node.rpc import Node
from bot.story.node.values import Address, address
from bot.story.registrar import Registrar
from bot.story.sending.sender import Sender
from bot.story.sending.types import Rules
from bot.story.sending.wallet import Wallet
from bot.workflows.base.kit import Kit
from bot.workflows.registering.feature import Registering
from bot.workflows.registering.publishing import Publishing
from bot.workflows.reviewing.verbs import Decisions
from storage.database import Database

GWEI = 10**9


@dataclass(frozen=True)
class Story:
    """The wallet at work on its chain, with or without a collection."""

    network: Network
    chain: Chain
    wallet: Wallet
    sender: Sender
    registrar: Registrar


def network_of(settings: Settings) -> Network:
    """The chosen network, with links that lead where the settings say."""
    explorer = str(settings.story_explorer_url).rstrip("/") if settings.story_explorer_url else None
    return NETWORKS[settings.story_network].with_explorer(explorer)


def missing_in(settings: Settings) -> tuple[str, ...]:
    """The settings without which no image can be registered, by their names; none where registration is set up."""
    needed = {
        "WALLET_PRIVATE_KEY": settings.wallet_private_key,
        "PINATA_JWT (or KUBO_RPC_URL)": settings.pinata_jwt or settings.kubo_rpc_url,
        "SPG_NFT_CONTRACT_ADDRESS": settings.spg_nft_contract_address,
    }
    return tuple(name for name, value in needed.items() if not value)


def story_of(settings: Settings, session: aiohttp.ClientSession, database: Database | None, clock: Clock) -> Story:
    """The chain's side, for which a wallet is needed and no collection. Without a database it can look, and not send.

    Raises:
        Broken: WALLET_PRIVATE_KEY is missing, or the collection's address has a typing error.
    """
    if settings.wallet_private_key is None:
        raise Broken("WALLET_PRIVATE_KEY is missing: the private key of a wallet for the bot alone.")
    network = network_of(settings)
    try:
        node = Node(session, settings.rpc_provider_url or SecretStr(network.rpc_url))
    except ValueError:
        raise Broken(  # without its cause, which may hold the key
            "RPC_PROVIDER_URL is not right: it has to be an https address, or http on this machine."
        ) from None
    chain = Chain(node, network, fee_cap=round(settings.story_max_fee_gwei * GWEI))
    wallet = Wallet(settings.wallet_private_key)
    rules = Rules(confirmations=settings.story_confirmations)
    sender = Sender(chain, wallet, database, clock, rules=rules)
    registrar = Registrar(chain, wallet, sender, network=network, collection=_collection(settings))
    return Story(network, chain, wallet, sender, registrar)


def reading_registrar(settings: Settings, session: aiohttp.ClientSession) -> Registrar:
    """A registrar that reads the chain and sends nothing.

    Raises:
        Broken: WALLET_PRIVATE_KEY is missing, or an address in the settings has a typing error.
    """
    return story_of(settings, session, None, SystemClock()).registrar


def pins_of(settings: Settings, session: aiohttp.ClientSession) -> Pins | None:
    """Where files are pinned; None where no place is set."""
    services: list[PinningService] = []
    if settings.pinata_jwt:
        services.append(
            Pinata(
                session,
                key=settings.pinata_jwt,
                gateway=str(settings.pinata_gateway_url).rstrip("/"),
                uploads=str(settings.pinata_uploads_url or pinata.UPLOADS).rstrip("/"),
                api=str(settings.pinata_api_url or pinata.API).rstrip("/"),
            )
        )
    if settings.kubo_rpc_url:
        base = str(settings.kubo_rpc_url).rstrip("/")
        services.append(Kubo(session, base=base, token=settings.kubo_rpc_token))
    services.sort(key=lambda service: service.name != settings.pin_first)
    return Pins(services[0], services[1:]) if services else None


def publishing_of(
    settings: Settings, session: aiohttp.ClientSession, database: Database, clock: Clock
) -> Publishing | None:
    """All that a registration needs; None where one of the settings is missing.

    Raises:
        Broken: the collection's address or RPC_PROVIDER_URL has a typing error.
    """
    pins, collection = pins_of(settings, session), _collection(settings)
    if missing_in(settings) or pins is None or collection is None:
        return None
    story = story_of(settings, session, database, clock)
    return Publishing(
        registrar=story.registrar,
        sender=story.sender,
        pins=pins,
        collection=collection,
        chain_id=story.network.chain_id,
        gateway=str(settings.ipfs_gateway_url).rstrip("/"),
    )


def registering_of(
    settings: Settings, session: aiohttp.ClientSession, kit: Kit, *, decisions: Decisions
) -> Registering:
    """The feature of registering; it refuses with the names of the missing settings where it is not set up.

    Raises:
        Broken: the collection's address or RPC_PROVIDER_URL has a typing error.
    """
    return Registering(
        kit,
        publishing=publishing_of(settings, session, kit.database, kit.clock),
        network=network_of(settings),
        missing=missing_in(settings),
        decisions=decisions,
        public_url=str(settings.public_url) if settings.public_url else None,
    )


def _collection(settings: Settings) -> Address | None:
    if settings.spg_nft_contract_address is None:
        return None
    try:
        return address(settings.spg_nft_contract_address)
    except Refused as error:
        raise Broken(f"SPG_NFT_CONTRACT_ADDRESS is not right: {error}") from error
