"""Black Forest Labs' API, as documented in February 2025 and April 2026.

Source: docs.bfl.ai, api.bfl.ai/openapi.json, and answers of the service that people have published.
"""

import logging
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr

from bot.errors import Broken, Refused
from bot.http.answers import clean
from bot.http.client import DEFAULT_TIMEOUTS, Http, NotThere, Reply, Timeouts
from bot.http.hosts import Hosts
from bot.providers import catalogue
from bot.providers.bfl.models import CREDIT
from bot.providers.bfl.replies import POLL_PATH, REGIONS, SINGLE_CLUSTERS, Result, explain
from bot.providers.bfl.training import BflTraining
from bot.providers.interface import Callback, Generation, Look, MicroUSD, Status, Ticket
from bot.providers.parameters import Value
from bot.providers.ranges import (
    LONGEST_DRAWING,
    MOST_PICTURE,
    Amount,
    Balance,
    Duration,
    Id,
    Link,
    Moment,
    Odd,
    Seed,
    read_charge,
)

log = logging.getLogger(__name__)

Region = Literal["global", "eu", "us"]

LARGEST_PICTURE = 64 * 1024 * 1024  # bytes

_API = re.compile(r"api(?:\.[a-z0-9-]+)?\.bfl\.(?:ai|ml)")
_DELIVERY = re.compile(r"(?:[a-z0-9-]+\.)+bfl\.ai|bfldelivery[a-z0-9]*\.blob\.core\.windows\.net")


class _Receipt(Reply):
    id: Id
    polling_url: Link = None
    cost: Amount = None  # credits, an estimate; since late 2025


class _Sample(Reply):
    """Of a result, only the sample is sure to be there."""

    sample: Link = None
    seed: Seed = None
    start_time: Moment = None
    end_time: Moment = None
    duration: Duration = None


class _Credits(Reply):
    credits: Balance


class Bfl(BflTraining):
    """A BFL account.

    `region` is where models without a finetune are ordered; a finetune is served where it was trained. `bases` sends
    whole regions elsewhere, and `origins` names further places that pictures and polling addresses may lie on: both are
    the admin's own, may be http on this machine, and get the key.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        key: SecretStr,
        region: Region = "global",
        bases: Mapping[str, str] | None = None,
        origins: Collection[str] = (),
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self._region = region
        named = {*origins, *(bases or {}).values()}
        self._pollable = Hosts(_API, named, path=POLL_PATH)
        self._deliveries = Hosts(_DELIVERY, named)
        connection = Http(
            session,
            name="The image service",
            hosts=Hosts(_API, named),
            headers={"x-key": key},
            explain=explain,
            timeouts=timeouts,
        )
        super().__init__(connection, {name: base.rstrip("/") for name, base in {**REGIONS, **(bases or {})}.items()})

    async def generate(
        self, generation: Generation, inputs: Mapping[str, bytes], callback: Callback | None = None
    ) -> Ticket:
        """Order one picture, already checked by the catalogue.

        A polling address on a foreign host is dropped, not followed: the order was taken all the same, so the ticket is
        kept, and is looked for where it was sent. On us1 and eu1 that finds it; on hosts that stand for many clusters
        it may stay MISSING. With a webhook the service sends no polling address at all, so it is asked to call back on
        us1 and eu1 only.
        """
        model = catalogue.find(generation.model)
        region = generation.finetune.region if generation.finetune else self._region
        if region is None or region not in model.regions:
            raise Broken(f"{model.label} is not served in the region {region}.")
        body: dict[str, object] = {**request_body(generation, inputs)}
        if callback and region in SINGLE_CLUSTERS:
            body |= {"webhook_url": callback.url, "webhook_secret": callback.secret}
        try:
            receipt = await self._http.post(self._bases[region] + model.path, body, reply=_Receipt, pays=True)
        except NotThere as error:
            raise Broken(f"The image service no longer offers {model.label}. Choose another model.") from error
        polling_url = receipt.polling_url
        if polling_url and not self._pollable.admit(polling_url):
            log.warning("BFL gave task %s a foreign polling address, which is not used", clean(receipt.id))
            polling_url = None
        charge = read_charge(receipt.cost, CREDIT, MOST_PICTURE, receipt=True)
        return Ticket(
            provider=self.name,
            remote_id=receipt.id,
            polling_url=polling_url,
            region=region,
            cost=charge.cost,
            odd_cost=charge.odd,
        )

    async def job_status(self, ticket: Ticket) -> Look:
        """Look at a picture ordered earlier.

        MISSING is not an end in the first 30 seconds after the order.

        Raises:
            Broken: it is ready, and there is no picture.
        """
        try:
            result = await self._http.get(self._polling_address(ticket), reply=Result)
        except NotThere:  # BFL's own clients take a 404 for "not yet", too
            return Look(status=Status.MISSING)
        except Refused as error:  # the question was turned down, not the picture: that is ordered
            raise Broken(str(error)) from error
        status = result.stands
        sample = _Sample.model_validate(result.result) if isinstance(result.result, dict) else _Sample()
        if status is Status.READY and not sample.sample:
            raise Broken("The image service says that the picture is ready, and sent none.")
        charge = read_charge(result.cost, CREDIT, MOST_PICTURE)
        return Look(
            status=status,
            progress=result.progress,
            urls=(sample.sample,) if status is Status.READY and sample.sample else (),
            seed=None if isinstance(sample.seed, Odd) else sample.seed,
            odd_seed=isinstance(sample.seed, Odd),
            seconds=_seconds(sample),
            reasons=result.reasons,
            cost=charge.cost,
            odd_cost=charge.odd,
        )

    async def fetch_output(self, url: str, into: Path) -> None:
        """Download a finished picture. The link dies 10 minutes after the picture was ready, then answers 403."""
        await self._http.download(url, into, hosts=self._deliveries, cap=LARGEST_PICTURE)

    async def balance(self) -> MicroUSD:
        """
        Raises:
            Refused: a server of 2025, which has no such question.
        """
        try:
            answer = await self._http.get(f"{self._bases[self._region]}/v1/credits", reply=_Credits)
        except NotThere as error:
            raise Refused("This image service does not tell what is left on the account.") from error
        return MicroUSD(round(answer.credits * CREDIT))

    def _polling_address(self, ticket: Ticket) -> str:
        if ticket.polling_url and self._pollable.admit(ticket.polling_url):
            return ticket.polling_url
        base = self._bases.get(ticket.region or self._region, self._bases[self._region])
        return f"{base}{POLL_PATH}?id={quote(ticket.remote_id, safe='')}"


def request_body(generation: Generation, inputs: Mapping[str, bytes]) -> dict[str, Value | bytes]:
    """The body of the order for a checked generation; `inputs` holds the bytes of its images, by role.

    Raises:
        Refused: an image is too large for the services.
        Broken: not the images that the generation names.
    """
    catalogue.check_sizes(generation, inputs)
    body: dict[str, Value | bytes] = {"prompt": generation.prompt, **generation.parameters, **inputs}
    if generation.finetune:
        body["finetune_id"] = generation.finetune.remote_id
    return body


def _seconds(sample: _Sample) -> float | None:
    if sample.duration is not None:
        return sample.duration
    if sample.start_time is None or sample.end_time is None:
        return None
    took = sample.end_time - sample.start_time
    return took if 0 <= took <= LONGEST_DRAWING else None
