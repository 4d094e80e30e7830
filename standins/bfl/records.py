"""What the service remembers of a generation or a training."""

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["Pending", "Ready", "Request Moderated", "Content Moderated", "Error"]


@dataclass
class Task:
    """One generation that was accepted.

    `status` is what it was when it was last looked at; `BflServer.tasks` looks at all of them.
    """

    id: str
    endpoint: str
    body: dict[str, Any]  # validated, with defaults; instead of each picture, "sha256:" and its digest
    key: str
    region: str
    created: float  # Unix seconds
    duration: float  # seconds
    outcome: Status  # how it will end
    seed: int
    size: tuple[int, int]  # px
    cost: float  # credits, taken when it turns Ready
    input_mp: float = 0.0
    output_mp: float = 1.0
    reasons: list[str] = field(default_factory=list[str])  # why it is moderated
    status: Status = "Pending"
    polls: int = 0
    callbacks: int = 0  # tries
    called_back: bool = False

    @property
    def ready_at(self) -> float:
        """When it ends, Unix seconds."""
        return self.created + self.duration

    @property
    def prompt(self) -> str:
        """What was asked for in words."""
        return self.body.get("prompt") or ""

    @property
    def format(self) -> str:
        """`jpeg`, `png` or `webp`."""
        return self.body.get("output_format") or "jpeg"

    @property
    def sample_path(self) -> str:
        """Where its picture lies on the delivery host."""
        return f"/results/{self.id.replace('-', '')}/sample.{self.format}"
