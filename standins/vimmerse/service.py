"""What the service knows and decides, apart from any request: its account, finetunes, assets and clock."""

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from standins.base.archive import Archive
from standins.base.serving import Standin
from standins.vimmerse.records import Asset, Outcome

CUSTOMER: Final = "sandbox-customer"
SAMPLES: Final = 2  # pictures that show a finished finetune

_REFUSED: Final = re.compile(r"\b(nsfw|nude|naked|porn\w*|gore|gory)\b", re.IGNORECASE)

Place = Literal["results", "args", "field", "text", "example", "later", "nowhere"]


@dataclass
class Quirks:
    """What the document leaves open, and how it is here. Change it at any time."""

    wrapped: bool = True  # assets in `{"data": …}`, or bare
    trigger_word: Place = "results"
    """Where a training's answer tells it. `example`: as in the document, an asset that is a success with links to
    pictures. `later`: only the asset does, and its `args` name the word as soon as the training is over."""
    training: Literal["object", "empty", "missing", "null"] = "object"  # what GET /finetune answers before the end
    reports_kontext: bool = True  # GET /finetune knows Kontext finetunes, which its documentation does not mention
    samples: Literal["objects", "strings"] = "objects"  # in the list after it
    words: tuple[str, str] = ("queue_bullet", "processing_bullet")  # in the first twentieth, and then
    progress: bool = False  # progress_percentage, as media have it
    honours_async: bool = True
    callbacks: Literal["once", "twice", "lost"] = "once"


class Refusal(Exception):
    """A request that is turned down with `{"message": …}`, or with FastAPI's `{"detail": […]}`."""

    def __init__(self, status: int, explanation: str | list[Any]) -> None:
        super().__init__(explanation)
        self.status = status
        self.body: dict[str, Any] = (
            {"message": explanation} if isinstance(explanation, str) else {"detail": explanation}
        )


class Service(Standin):
    """The account and what it has ordered. All keys belong to the one account; all time is the clock's."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        keys: Collection[str] = ("sandbox-key",),
        credits: float = 10_000.0,  # noqa: A002 - Vimmerse's word
        training_cost: float = 100.0,
        picture_cost: float = 1.0,
        training: float = 1200.0,
        drawing: float = 12.0,
        speed: float = 1.0,
        state: Path | None = None,
        media_origin: str | None = None,
        picture_size: int | None = None,
        quirks: Quirks | None = None,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.sleep = sleep  # as long as a request without async_mode blocks
        self.keys = set(keys)
        self.training_cost = training_cost  # credits, taken when it begins and given back when it fails
        self.picture_cost = picture_cost
        self.training = training  # seconds, divided by `speed`
        self.drawing = drawing
        self.speed = speed
        self.media_origin = media_origin
        self.picture_size = picture_size  # px, the longer side; None for about a megapixel
        self.quirks = quirks or Quirks()
        self.archive = Archive(state, {"assets": Asset})
        self._assets = {asset.id: asset for asset in self.archive.load(Asset)}
        self._granted = credits

    @property
    def assets(self) -> list[Asset]:
        """All that was accepted, in that order."""
        return list(self._assets.values())

    @property
    def trainings(self) -> list[Asset]:
        return [asset for asset in self._assets.values() if asset.is_training]

    @property
    def credits(self) -> float:
        """What is left in the account."""
        spent = sum(asset.cost for asset in self.assets if asset.outcome == "success" or not self.over(asset))
        return round(self._granted - spent, 2)

    @credits.setter  # noqa: A003 - it shadows the builtin in this class only, and is Vimmerse's word
    def credits(self, amount: float) -> None:
        self._granted += amount - self.credits

    def asset(self, id_: str) -> Asset | None:
        return self._assets.get(id_)

    def finetune(self, trigger: str) -> Asset | None:
        """The training that made this trigger word."""
        return next((asset for asset in self.trainings if asset.trigger == trigger), None)

    def finetune_in(self, prompt: str, *, kontext: bool) -> Asset | None:
        """The finished finetune whose trigger word is in a prompt; a request names its finetune in no other way."""
        for asset in self.trainings:
            fits = (asset.args["option"] == "FluxKontextFinetune") is kontext
            if fits and asset.trigger in prompt and self.over(asset) and asset.outcome == "success":
                return asset
        return None

    def over(self, asset: Asset) -> bool:
        return self.clock() >= asset.ready_at

    def status(self, asset: Asset) -> str:
        """The word for how far it is."""
        if self.over(asset):
            return asset.outcome
        return self.quirks.words[0 if self.share(asset) < 0.05 else 1]

    def share(self, asset: Asset) -> float:
        """How far it is, 0 to 1."""
        return min(max((self.clock() - asset.created) / asset.duration, 0.0), 1.0) if asset.duration else 1.0

    def end(self, asset: Asset, outcome: Outcome, *, after: float | None = None, reason: str = "") -> None:
        """Decide how it ends, and when: seconds after its start."""
        asset.outcome, asset.reason = outcome, reason
        if after is not None:
            asset.duration = after
        self.archive.save(asset)

    def accept(
        self, app_name: Any, args: dict[str, Any], given: list[tuple[str, bytes]], *, key: str, finetune: str = ""
    ) -> Asset:
        """Take an order in and start it.

        Raises:
            Refusal: 402, the account is empty.
        """
        training = app_name == "flux-finetune"
        cost = self.training_cost if training else self.picture_cost * args["quantity"]
        if self.credits < cost:
            raise Refusal(402, "INSUFFICIENT_CREDIT")
        made_of = [app_name, repr(sorted(args.items(), key=lambda item: item[0])), *(digest for digest, _ in given)]
        number = sum(asset.args == args and asset.app_name == app_name for asset in self.assets)
        digest = hashlib.sha256("\n".join([*made_of, str(number)]).encode()).hexdigest()
        refused = _REFUSED.search(args.get("prompt") or "")
        asset = Asset(
            id=digest[:24],
            app_name=app_name,
            args=args,
            key=key,
            created=self.clock(),
            duration=(self.training if training else self.drawing) / self.speed,
            cost=cost,
            outcome="fail" if refused else "success",
            reason="The prompt was flagged by the content filter." if refused else "",
            given=[digest for digest, _ in given],
            trigger=f"{args['lora_prefix']}_{digest[24:30]}" if training else finetune,
            number=number,
        )
        self.archive.keep(given)
        self.archive.save(asset)
        self._assets[asset.id] = asset
        return asset

    def moment(self, seconds: float) -> str:
        """A time as Python's `str(datetime)`: a space, no T."""
        return str(datetime.fromtimestamp(seconds, UTC))
