"""What the service remembers of finetunes and pictures."""

from dataclasses import dataclass, field
from typing import Any, Final

LIFETIME: Final = 30 * 86_400.0  # seconds from the end of a training to the deletion of everything


@dataclass
class Tune:
    """One finetune. How far it is follows from the clock."""

    id: int
    title: str
    name: str
    created: float  # Unix seconds
    waits: float  # seconds until the training starts
    duration: float  # seconds that it takes
    token: str = "ohwx"  # noqa: S105 - Astria's word for the trigger
    branch: str = "flux1"
    model_type: str | None = "lora"
    base_tune_id: int | None = None
    base_pack_id: int | None = None
    preset: str | None = None
    steps: int | None = None
    face_crop: bool | None = None
    training_face_correct: bool = False
    auto_extend: bool = False
    callback: str | None = None
    prompts_callback: str | None = None
    images: list[str] = field(default_factory=list[str])  # marks: "sha256:" and a digest, or a link
    captions: dict[str, str] = field(default_factory=dict[str, str])  # by the stem of the picture's name
    cost_mc: int = 0  # charged when it was accepted
    error: str | None = None  # how it will fail
    called_back: bool = False
    prompts_called_back: bool = False
    deleted: bool = False

    @property
    def starts_at(self) -> float:
        return self.created + self.waits

    @property
    def ends_at(self) -> float:
        """When the training is over, one way or the other, Unix seconds."""
        return self.starts_at + self.duration

    @property
    def expires_at(self) -> float | None:
        return None if self.auto_extend or self.error else self.ends_at + LIFETIME


@dataclass
class Prompt:
    """An order for pictures. How far it is follows from the clock."""

    id: int
    tune_id: int  # what it was ordered on: for FLUX the base, not the LoRA
    text: str
    created: float  # Unix seconds
    starts_at: float
    duration: float  # seconds
    seed: int
    num_images: int = 1
    loras: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])  # and how strongly
    fields: dict[str, Any] = field(default_factory=dict[str, Any])  # what else was asked for
    input: str | None = None  # mark of the input image
    size: tuple[int, int] = (1024, 1024)  # px
    callback: str | None = None
    pack_of: int | None = None  # the finetune whose pack ordered it
    cost_mc: int = 0
    error: str | None = None  # how it will fail
    early_called_back: bool = False
    called_back: bool = False
    deleted: bool = False

    @property
    def ends_at(self) -> float:
        """When it is settled, Unix seconds."""
        return self.starts_at + self.duration
