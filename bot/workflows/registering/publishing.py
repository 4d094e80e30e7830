"""The services that register: the chain's side, the pinning services, and the gateway that the metadata name."""

from dataclasses import dataclass

from bot.pinning.pins import Pins
from bot.story.registrar import Registrar
from bot.story.sending.sender import Sender


@dataclass(frozen=True)
class Publishing:
    """There is one where registration is set up."""

    registrar: Registrar
    sender: Sender
    pins: Pins
    collection: str
    """Its address, in its checksum spelling."""
    chain_id: int
    gateway: str
    """An origin, without a slash at its end."""
