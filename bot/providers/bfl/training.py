"""Training at Black Forest Labs, as documented until it was withdrawn on 31 October 2025.

A server that still has it is spoken to as then. One that has not says so with 404, 405 or 410.

Sources: the FLUX Finetuning Beta Guide; BFL's OpenAPI of February 2025; reports of people who trained, which are
named where something hangs on them.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, cast
from urllib.parse import quote

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from bot.errors import Broken, Refused
from bot.http.answers import clean
from bot.http.client import Http, NotThere, Reply
from bot.providers.bfl.models import CREDIT
from bot.providers.bfl.replies import POLL_PATH, SINGLE_CLUSTERS, Result, UnknownFinetune
from bot.providers.interface import Callback, FinetuneRef, Status
from bot.providers.ranges import LONGEST_ID, MOST_TRAINING, Amount, read_charge
from bot.providers.training import FinetuneSpec, Started, Training, TrainingSet, Withdrawn

MOST_LISTED = 500
DETAILS_AT_ONCE = 50
"""Finetunes whose details one search asks for; the next search goes on with those that are left."""

_WITHDRAWN = (
    "Black Forest Labs no longer offers training on this server: it was withdrawn on 31 October 2025. "
    "Nothing was charged. Another trainer may do."
)
_NOT_FOR_PEOPLE = ("webhook", "secret", "file_data")


def _ids(value: object) -> object:
    """The documents do not say what the list is of: ids in practice; objects that hold one are understood, too."""
    if not isinstance(value, list):
        return value  # which is refused as what it is
    ids: list[str] = []
    for item in cast("list[Any]", value):
        fields = cast("dict[str, Any]", item) if isinstance(item, dict) else {"id": item}
        id_ = fields.get("finetune_id") or fields.get("id")
        if isinstance(id_, str) and 0 < len(id_) <= LONGEST_ID:
            ids.append(id_)
    return list(dict.fromkeys(ids))


class _Begun(Reply):
    id: str = Field(min_length=1, max_length=LONGEST_ID, validation_alias=AliasChoices("finetune_id", "id"))
    """A sample in BFL's own tutorial is one character short of a UUID, so it is a text."""
    cost: Amount = None  # credits; never seen for a training, and harmless to expect


class _Listed(Reply):
    finetunes: Annotated[list[str], BeforeValidator(_ids)]


class _Details(Reply):
    finetune_details: dict[str, JsonValue]


class _Deleted(Reply):
    """All of it is said to be there; nothing of it is needed."""


class BflTraining:
    """The part of a BFL account that trains. A finetune exists on one cluster only, us1 or eu1."""

    name = "bfl"

    def __init__(self, connection: Http, bases: Mapping[str, str]) -> None:
        self._http = connection
        self._bases = bases
        self._comments: dict[tuple[str, str], str | None] = {}  # by region and id; None where there were no details

    async def create_finetune(
        self, spec: FinetuneSpec, training_set: TrainingSet, callback: Callback | None = None
    ) -> Started:
        """Begin a training, already checked by `trainers.check_settings`, in `spec.region`.

        Raises:
            Withdrawn: this server trains nothing any more.
        """
        address = f"{self._cluster(spec.region)}/v1/finetune"
        body = finetune_body(spec, training_set, callback)
        try:
            begun = await self._http.post(address, body, reply=_Begun, pays=True)
        except NotThere as error:
            raise Withdrawn(_WITHDRAWN) from error
        ref = FinetuneRef(provider=self.name, remote_id=begun.id, region=spec.region, trigger=spec.trigger)
        charge = read_charge(begun.cost, CREDIT, MOST_TRAINING, receipt=True)
        return Started(ref=ref, cost=charge.cost, odd_cost=charge.odd)

    async def finetune_status(self, ref: FinetuneRef) -> Training:
        """Look at a training.

        FAILED may pass: queued trainings were seen to say Error and to go on. The caller counts, and believes three in
        a row that are at least 30 seconds apart. MISSING, too, is no end in the first minutes.

        A finished finetune whose task has been forgotten still has details, and one in training has none, so where
        there are details it is READY (seen by the author of Augustronic's client).

        Raises:
            Unavailable: also for a 500, which this question has answered for hours while the training went on
                (github.com/black-forest-labs/flux, issues 400 and 499).
        """
        address = f"{self._cluster(ref.region)}{POLL_PATH}?id={quote(ref.remote_id, safe='')}"
        try:
            result = await self._http.get(address, reply=Result)
        except NotThere:
            result = Result(status="Task not found")
        except Refused as error:  # the question was turned down, not the training
            raise Broken(str(error)) from error
        status = result.stands
        if status in {Status.MISSING, Status.FAILED} and await self._details(ref.region, ref.remote_id):
            return Training(status=Status.READY)
        charge = read_charge(result.cost, CREDIT, MOST_TRAINING)
        return Training(
            status=status,
            progress=result.progress,
            reasons=result.reasons,
            cost=charge.cost,
            odd_cost=charge.odd,
        )

    async def find_finetune(self, spec: FinetuneSpec) -> Started | None:
        """Look for a training whose receipt was lost.

        A training is listed only when it is over, hours later, so None means "not yet" until then; one that fails is
        never found. The list holds ids only: the label is in the details, `DETAILS_AT_ONCE` of which are asked for in
        one search, and remembered.
        """
        region = spec.region
        listed = await self._listed(region)
        assert region is not None, "or it would have no cluster"
        comments = self._comments
        for gone in [key for key in comments if key[0] == region and key[1] not in listed]:
            del comments[gone]
        never_read = [id_ for id_ in reversed(listed) if (region, id_) not in comments]
        without = [id_ for id_ in reversed(listed) if comments.get((region, id_), "") is None]
        for id_ in (never_read + without)[:DETAILS_AT_ONCE]:
            details = await self._details(region, id_)
            comment = details.get("finetune_comment") if details else None
            comments[region, id_] = str(comment or "") if details else None
        for id_ in listed:
            if comments.get((region, id_)) == spec.label:
                ref = FinetuneRef(provider=self.name, remote_id=id_, region=region, trigger=spec.trigger)
                return Started(ref=ref)
        return None

    async def list_finetunes(self, region: str | None = None) -> list[FinetuneRef]:
        """The finished finetunes of a region, or of both; one in training is not among them."""
        return [
            FinetuneRef(provider=self.name, remote_id=id_, region=each)
            for each in ([region] if region else SINGLE_CLUSTERS)
            for id_ in await self._listed(each)
        ][-MOST_LISTED:]

    async def finetune_details(self, ref: FinetuneRef) -> dict[str, str]:
        """
        Raises:
            UnknownFinetune: it is not there, or not finished.
        """
        details = await self._details(ref.region, ref.remote_id)
        if not details:
            raise UnknownFinetune("Black Forest Labs does not know this finetune, or has not finished it.")
        return {
            clean(name.replace("_", " "), cap=40): _fact_text(value)
            for name, value in list(details.items())[:25]
            if value not in (None, "") and not any(word in name.lower() for word in _NOT_FOR_PEOPLE)
        }

    async def delete_finetune(self, ref: FinetuneRef) -> None:
        """Delete it. One in training is not known yet, and counts as gone, too.

        Raises:
            Refused: this server deletes nothing any more, and still has it.
        """
        address = f"{self._cluster(ref.region)}/v1/delete_finetune"
        try:
            await self._http.post(address, {"finetune_id": ref.remote_id}, reply=_Deleted, pays=False)
        except UnknownFinetune:
            pass
        except NotThere as error:  # it, or the question
            if await self._details(ref.region, ref.remote_id):
                raise Refused("Black Forest Labs deletes no finetunes on this server any more.") from error
        self._comments.pop((ref.region or "", ref.remote_id), None)

    async def _listed(self, region: str | None) -> list[str]:
        try:
            answer = await self._http.get(f"{self._cluster(region)}/v1/my_finetunes", reply=_Listed)
        except NotThere as error:
            raise Refused("Black Forest Labs lists no finetunes on this server any more.") from error
        return answer.finetunes[-MOST_LISTED:]

    async def _details(self, region: str | None, id_: str) -> dict[str, JsonValue] | None:
        """None where there are none: the service puts that in several ways."""
        address = f"{self._cluster(region)}/v1/finetune_details?finetune_id={quote(id_, safe='')}"
        try:
            answer = await self._http.get(address, reply=_Details)
        except (NotThere, Refused):
            return None
        return answer.finetune_details or None

    def _cluster(self, region: str | None) -> str:
        if region not in SINGLE_CLUSTERS:
            raise Broken(f"Black Forest Labs trains on us1 and eu1, and not in the region {region}.")
        return self._bases[region]


def finetune_body(spec: FinetuneSpec, training_set: TrainingSet, callback: Callback | None) -> dict[str, object]:
    """The body of the order. What is not set is left to the server: its learning rate depends on the type."""
    body: dict[str, object] = {
        "file_data": training_set.archive,
        "finetune_comment": spec.label,
        "mode": spec.subject.value,
        **spec.parameters,
    }
    if spec.trigger:
        body["trigger_word"] = spec.trigger
    if "lora_rank" in spec.parameters:  # a choice of texts to us, an integer to them
        body["lora_rank"] = int(spec.parameters["lora_rank"])
    if callback:
        body |= {"webhook_url": callback.url, "webhook_secret": callback.secret}
    return body


def _fact_text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return clean(value if isinstance(value, str) else json.dumps(value))
