"""What the service remembers of a training or a picture."""

from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["success", "fail", "cancel"]


@dataclass
class Asset:
    """One training, or one order of pictures, that was accepted."""

    id: str
    app_name: Literal["flux-finetune", "text-2-image", "image-2-image"]
    args: dict[str, Any]  # as sent, validated, with defaults; no pictures
    key: str
    created: float  # Unix seconds
    duration: float  # seconds
    cost: float  # credits
    outcome: Outcome = "success"  # how it will end
    reason: str = ""  # why it fails
    given: list[str] = field(default_factory=list[str])  # digests of the pictures that came with it
    trigger: str = ""  # of a training its own, of a picture its finetune's
    number: int = 0  # how many like it there were before
    callbacks: int = 0  # tries
    called_back: bool = False

    @property
    def is_training(self) -> bool:
        """Whether it makes a finetune, and no pictures."""
        return self.app_name == "flux-finetune"

    @property
    def ready_at(self) -> float:
        """When it ends, Unix seconds."""
        return self.created + self.duration

    @property
    def prompt(self) -> str:
        """What was asked for in words."""
        return self.args.get("prompt") or ""
