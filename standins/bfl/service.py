"""What the service knows and decides, apart from any request: its account, tasks, limits and clock."""

import hashlib
import heapq
import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from standins.base.archive import Archive
from standins.base.serving import Standin
from standins.bfl import catalogue
from standins.bfl.catalogue import Era
from standins.bfl.records import Status, Task

Region = Literal["global", "eu", "us", "eu1", "us1"]
SINGLE_CLUSTERS: Final = ("eu1", "us1")  # finetunes live here, and here an id is enough to poll

_REFUSED_WORDS = {
    "Sexual Content": re.compile(r"\b(nsfw|nude|naked|porn\w*)\b", re.IGNORECASE),
    "Hate": re.compile(r"\b(nazi|swastika)\b", re.IGNORECASE),
}
_REFUSED_PICTURES = {"Violence": re.compile(r"\b(gore|gory|bloodbath)\b", re.IGNORECASE)}
_READING_TIME = 0.8  # seconds until a prompt is refused

Duration = float | Callable[[Task], float]
Window = tuple[float, float]  # from and until, in seconds from the start of a training
TRAINING: Final = "finetune"  # the endpoint of a task that is a training
_ITERATION_TIME = 6.0  # seconds


@dataclass
class Quirks:
    """How the service differs from its documentation, or from itself at other times. Change them at any time."""

    progress: Literal["null", "fraction", "percent"] = "null"
    costs: bool = True  # cost, input_mp and output_mp in the answer to a submit; never there in 2025
    settled: float | None = None  # credits that the last answer to a look says were charged; with None it says nothing
    minimal_result: bool = False  # {sample, prompt} only
    newer_words: bool = False  # Reasoning and Generating, seen since September 2026, instead of Pending
    appears_after: float = 0.0  # seconds in which a new task is "Task not found"
    forgets_after: float = 86_400.0  # seconds after which an old one is
    retry_after: int | None = None  # seconds, with the 429 of a full account
    callback: Literal["result", "bot", "skills"] = "result"  # three dialects seen in the wild
    callbacks: Literal["once", "twice", "lost", "reversed"] = "once"
    training_id: Literal["finetune_id", "id"] = "finetune_id"  # what the answer to a training calls it
    training_appears_after: float = 0.0  # seconds from its start in which a training is "Task not found"
    training_forgotten_after: float | None = None  # seconds from its end after which it is that again
    training_errors: Window = (0.0, 0.0)  # in which a training says Error, and goes on
    training_crashes: Window = (0.0, 0.0)  # in which asking after a training is a plain 500
    listed_as: Literal["ids", "objects"] = "ids"  # what my_finetunes is a list of


class Refusal(Exception):
    """A request that is turned down with `{"detail": …}`."""

    def __init__(self, status: int, detail: Any, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


class Service(Standin):
    """The account and its tasks. All keys belong to the one account; all time is the clock's."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        keys: Collection[str] = ("sandbox-key",),
        credits: float = 10_000.0,  # noqa: A002 - BFL's word
        active_limit: int = 24,
        kontext_max_limit: int = 6,
        duration: Duration | None = None,
        training_duration: Duration | None = None,
        speed: float = 1.0,
        state: Path | None = None,
        era: Era | None = None,
        region: Region = "global",
        polling_origin: str | None = None,
        delivery_origin: str | None = None,
        picture_size: int | None = None,
        quirks: Quirks | None = None,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.keys = set(keys)
        self.active_limit = active_limit
        self.kontext_max_limit = kontext_max_limit
        self.duration = duration  # seconds, or how to tell; None for what each model usually takes, divided by `speed`
        self.training_duration = training_duration  # likewise, and None for six seconds an iteration
        self.speed = speed
        self.era: Era | None = era
        self.region: Region = region
        self.polling_origin = polling_origin
        self.delivery_origin = delivery_origin
        self.picture_size = picture_size  # px, the longer side; None for pictures as large as asked for
        self.quirks = quirks or Quirks()
        self.endpoints = catalogue.endpoints(era)
        self.finetunes: dict[str, str] = {}  # finished ones: id to the single cluster it was trained on
        self.peak_active = 0
        self.archive = Archive(state, {"tasks": Task})
        self._tasks = {task.id: task for task in self.archive.load(Task)}
        for task in self._tasks.values():
            self._note_finetune(task)
        self._ends = [(task.ready_at, task.id) for task in self._tasks.values() if task.status == "Pending"]
        heapq.heapify(self._ends)
        self._active_kontext_max = sum(self._tasks[id_].endpoint == "flux-kontext-max" for _, id_ in self._ends)
        self._reserved = sum(self._tasks[id_].cost for _, id_ in self._ends)
        self._credits = credits - sum(task.cost for task in self._tasks.values() if task.status == "Ready")

    @property
    def tasks(self) -> list[Task]:
        """All tasks in the order they were accepted, as they stand now."""
        self.settle()
        return list(self._tasks.values())

    @property
    def active(self) -> int:
        """How many tasks are not at their end."""
        self.settle()
        return len(self._ends)

    @property
    def credits(self) -> float:
        """What is left in the account: a task takes its cost when it turns Ready, and only then."""
        self.settle()
        return round(self._credits, 2)

    @credits.setter  # noqa: A003 - it shadows the builtin in this class only, and is BFL's word
    def credits(self, amount: float) -> None:
        self.settle()
        self._credits = amount

    def task(self, id_: str) -> Task | None:
        """A task as it stands now."""
        self.settle()
        return self._tasks.get(id_)

    def end(self, task: Task, outcome: Status, *, after: float | None = None) -> None:
        """Decide that a task under way ends so, and when: seconds after its start."""
        task.outcome = outcome
        if after is not None:
            task.duration = after
            self._ends = [(self._tasks[id_].ready_at, id_) for _, id_ in self._ends]
            heapq.heapify(self._ends)
        self.archive.save(task)

    def settle(self) -> None:
        """Bring every task that has ended by now to its end; after a restart this finds the same ends again."""
        now = self.clock()
        while self._ends and self._ends[0][0] <= now:
            task = self._tasks[heapq.heappop(self._ends)[1]]
            task.status = task.outcome
            self._active_kontext_max -= task.endpoint == "flux-kontext-max"
            self._reserved -= task.cost
            if task.status == "Ready":
                self._credits -= task.cost
                self._note_finetune(task)

    def has_finetune(self, id_: str, region: str) -> bool:
        """Whether it is finished, not deleted, and was trained in this region."""
        self.settle()
        return self.finetunes.get(id_) == region

    def forget_finetune(self, id_: str) -> None:
        """Delete a finetune; its task stays."""
        del self.finetunes[id_]
        if task := self._tasks.get(id_):
            task.body["deleted"] = True
            self.archive.save(task)

    def admit(self, endpoint: str, cost: float) -> None:
        """Check that there is a free slot and money for one more task.

        Raises:
            Refusal: 402, or 429.
        """
        self.settle()
        if self._credits - self._reserved < cost:
            raise Refusal(402, "Insufficient credits. Please add credits to your account.")
        full = len(self._ends) >= self.active_limit
        if endpoint == "flux-kontext-max":
            full = full or self._active_kontext_max >= self.kontext_max_limit
        if full:
            wait = self.quirks.retry_after
            raise Refusal(429, "Too many active tasks. Please wait for some of them to finish.", retry_after=wait)

    def accept(self, task: Task, given: Iterable[tuple[str, bytes]] = (), *, words: str | None = None) -> None:
        """Take a task in and start it. `words` are moderated; by default the prompt is."""
        task.outcome, task.reasons = _verdict(task.prompt if words is None else words)
        task.duration = self._seconds(task)
        self.archive.keep(given)
        self.archive.save(task)
        self._tasks[task.id] = task
        heapq.heappush(self._ends, (task.ready_at, task.id))
        self._active_kontext_max += task.endpoint == "flux-kontext-max"
        self._reserved += task.cost
        self.peak_active = max(self.peak_active, len(self._ends))

    def _note_finetune(self, task: Task) -> None:
        if task.endpoint == TRAINING and task.status == "Ready" and not task.body.get("deleted"):
            self.finetunes[task.id] = task.region

    def _seconds(self, task: Task) -> float:
        seconds = self.training_duration if task.endpoint == TRAINING else self.duration
        if seconds is not None:
            return seconds(task) if callable(seconds) else seconds
        if task.outcome == "Request Moderated":
            return _READING_TIME / self.speed
        if task.endpoint == TRAINING:
            return task.body["iterations"] * _ITERATION_TIME / self.speed
        luck = int.from_bytes(hashlib.sha256(task.id.encode()).digest()[:4]) / 2**32  # 0..1
        slow = 2.0 if luck > 0.95 else 1.0  # one in twenty takes twice as long
        return self.endpoints[task.endpoint].seconds * (0.75 + 0.6 * luck) * slow / self.speed


def _verdict(prompt: str) -> tuple[Status, list[str]]:
    if reasons := [reason for reason, words in _REFUSED_WORDS.items() if words.search(prompt)]:
        return "Request Moderated", reasons
    if reasons := [reason for reason, words in _REFUSED_PICTURES.items() if words.search(prompt)]:
        return "Content Moderated", reasons
    return "Ready", []
