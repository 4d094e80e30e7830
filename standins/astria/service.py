"""What the service knows and decides, apart from any request: its account, finetunes, orders and clock."""

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from standins.astria.records import LIFETIME, Prompt, Tune
from standins.base.archive import Archive
from standins.base.serving import Standin

FLUX_DEV: Final = 1504944  # the tune of Flux1.dev in Astria's gallery
STEP_MC: Final = 500  # millicents, as on real bills; 100,000 are one dollar
IMAGE_MC: Final = 2_500  # a guess: the price of a picture is in no document

_FIRST_TUNE: Final = 2_000_001
_FIRST_PROMPT: Final = 30_000_001
_REFUSED = re.compile(r"\b(nsfw|nude|naked|porn\w*|gore|gory)\b", re.IGNORECASE)

Duration = float | Callable[[Tune], float]


@dataclass
class Quirks:
    """How the service differs from its documentation, or from itself at other times. Change them at any time."""

    callbacks: Literal["wrapped", "bare", "lost"] = "wrapped"  # wrapped in reality, bare in the documentation
    early_callbacks: bool = False  # one for each order that has been begun, without images
    idempotent: bool = False  # the account's option: the same title, or the same attributes, give the same object
    polling_gap: float = 0.0  # seconds; the same question sooner than that is a 429
    title_filter: Literal["exact", "part", "ignored"] = "exact"  # no document says what GET /tunes?title= means
    created: Literal[200, 201] = 201
    tells_deleted: bool = False  # DELETE answers with an object instead of nothing


@dataclass(frozen=True)
class Pack:
    """Prompts that are drawn with a new finetune as soon as it is trained."""

    id: int
    slug: str
    title: str
    texts: tuple[str, ...]
    cost_mc: dict[str, int]  # by class, for all of its pictures


PACKS: Final = (
    Pack(
        260,
        "corporate-headshots",
        "Corporate headshots",
        (
            "portrait of {subject} in a studio, gray suit",
            "{subject} in a city office",
            "headshot of {subject} by the sea",
        ),
        {"man": 30_000, "woman": 30_000},
    ),
    Pack(
        911,
        "pets-on-holiday",
        "Pets on holiday",
        ("{subject} on a beach", "{subject} in a meadow of flowers"),
        {"cat": 20_000, "dog": 20_000},
    ),
)


class Refusal(Exception):
    """A request that is turned down with this body; a 422's is a hash of fields to what is wrong with them."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body)
        self.status = status
        self.body = body


class Service(Standin):
    """The account and what it holds. All keys belong to the one account; all time is the clock's."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        keys: Collection[str] = ("sandbox-key",),
        balance_mc: int = 10_000_000,
        training_wait: float = 10.0,
        training_duration: Duration = 274.0,
        prompt_duration: float = 20.0,
        state: Path | None = None,
        delivery_origin: str | None = None,
        picture_size: int | None = None,
        packs: Iterable[Pack] = PACKS,
        quirks: Quirks | None = None,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.keys = set(keys)
        self.training_wait = training_wait  # seconds until a training starts
        self.training_duration = training_duration  # seconds, or how to tell
        self.prompt_duration = prompt_duration  # seconds
        self.delivery_origin = delivery_origin
        self.picture_size = picture_size  # px, the longer side; None for pictures as large as asked for
        self.packs = {pack.id: pack for pack in packs}
        self.quirks = quirks or Quirks()
        self.archive = Archive(state, {"tunes": Tune, "prompts": Prompt}, contents=("given", "mark"))
        self._deposited = balance_mc
        self._tunes = {tune.id: tune for tune in self.archive.load(Tune)}
        self._prompts = {prompt.id: prompt for prompt in self.archive.load(Prompt)}
        self._asked: dict[str, float] = {}

    @property
    def tunes(self) -> list[Tune]:
        """All finetunes ever accepted, also those that are gone, oldest first."""
        return list(self._tunes.values())

    @property
    def prompts(self) -> list[Prompt]:
        """All orders ever accepted, also those that are gone, oldest first."""
        return list(self._prompts.values())

    @property
    def balance_mc(self) -> int:
        """What is left, in millicents: what was accepted is charged at once, and stays charged."""
        charged = [record.cost_mc for record in (*self._tunes.values(), *self._prompts.values())]
        return self._deposited - sum(charged)

    @balance_mc.setter
    def balance_mc(self, amount: int) -> None:
        self._deposited += amount - self.balance_mc

    def tune(self, id_: int) -> Tune | None:
        """A finetune that is neither deleted nor expired."""
        tune = self._tunes.get(id_)
        return tune if tune and self._is_there(tune) else None

    def prompt(self, id_: int) -> Prompt | None:
        """An order that is not deleted. It is deleted with its finetune, at the latest 30 days after it was drawn."""
        prompt = self._prompts.get(id_)
        if prompt is None or prompt.deleted or self.clock() >= prompt.ends_at + LIFETIME:
            return None
        expired = (self._expired(self._tunes[lora]) for lora, _ in prompt.loras if lora in self._tunes)
        return None if any(expired) else prompt

    def newest_tunes(self) -> list[Tune]:
        return [tune for tune in reversed(self._tunes.values()) if self._is_there(tune)]

    def newest_prompts(self) -> list[Prompt]:
        return [prompt for prompt in reversed(self._prompts.values()) if self.prompt(prompt.id)]

    def next_tune(self) -> int:
        return max(self._tunes, default=_FIRST_TUNE - 1) + 1

    def next_prompt(self) -> int:
        return max(self._prompts, default=_FIRST_PROMPT - 1) + 1

    def charge(self, cost_mc: int) -> None:
        """Check that there is money for it.

        Raises:
            Refusal: 402.
        """
        if cost_mc > self.balance_mc:
            raise Refusal(402, {"error": "Insufficient balance. Please add funds to your account."})

    def accept(self, record: Tune | Prompt, given: Iterable[tuple[str, bytes]] = ()) -> None:
        """Take a finetune or an order in and start it."""
        self.archive.keep(given)
        self.archive.save(record)
        if isinstance(record, Tune):
            self._tunes[record.id] = record
        else:
            self._prompts[record.id] = record

    def fail(self, record: Tune | Prompt, error: str) -> None:
        """Decide that a training or an order under way ends with this error."""
        record.error = error
        self.archive.save(record)

    def delete(self, record: Tune | Prompt) -> None:
        record.deleted = True
        self.archive.save(record)

    def seconds(self, tune: Tune) -> float:
        """How long a training takes, seconds; at most 20 on the mock branch."""
        taken = self.training_duration(tune) if callable(self.training_duration) else self.training_duration
        return min(taken, 20.0) if tune.branch == "fast" else taken

    def verdict(self, text: str) -> str | None:
        """Why this text is refused; None where it is not."""
        return "NSFW content detected. Please change the prompt text." if _REFUSED.search(text) else None

    def slow_down(self, question: str) -> None:
        """
        Raises:
            Refusal: 429, the same was asked a moment ago.
        """
        now, before = self.clock(), self._asked.get(question)
        self._asked[question] = now
        if before is not None and now - before < self.quirks.polling_gap:
            raise Refusal(429, {"error": "Too many requests. Please use callbacks instead of polling."})

    def _is_there(self, tune: Tune) -> bool:
        return not tune.deleted and not self._expired(tune)

    def _expired(self, tune: Tune) -> bool:
        return tune.expires_at is not None and self.clock() >= tune.expires_at


def key_of(kind: str, id_: int, index: int) -> str:
    """The 28 characters that a picture has in its address. They are the same after a restart."""
    number = int.from_bytes(hashlib.sha256(f"the stand-in's {kind} {id_} {index}".encode()).digest())
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(letters[number // 36**place % 36] for place in range(28))
