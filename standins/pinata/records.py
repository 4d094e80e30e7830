"""What an account holds."""

import hashlib
from dataclasses import dataclass
from typing import Literal

Network = Literal["public", "private"]


@dataclass
class File:
    """One file of the account."""

    id: str
    name: str
    cid: str
    size: int  # bytes
    media_type: str
    network: Network
    created: float  # Unix seconds
    named: float  # Unix seconds; before it, the CID is not known
    content: str  # SHA-256 of the bytes that are served: other ones than were sent, where they are corrupt


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
