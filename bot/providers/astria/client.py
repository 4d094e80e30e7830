"""Astria's API: LoRAs trained on FLUX.1 [dev], and the pictures drawn with them.

Source: docs.astria.ai, github.com/astriaai (docs, starter, command line client) and published answers of the service.
"""

import re
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from pathlib import Path
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Unavailable
from bot.http.client import DEFAULT_TIMEOUTS, Failure, Http, NotThere, Timeouts
from bot.http.hosts import Hosts
from bot.http.payloads import FormFile
from bot.providers import catalogue, trainer_entries
from bot.providers.astria import models as astria_models
from bot.providers.astria.models import FLUX_DEV, SPELLINGS
from bot.providers.astria.prompts import escape_syntax, lora_tag
from bot.providers.astria.replies import MILLICENT, Account, Anything, Inspected, Listing, Prompt, Tune
from bot.providers.interface import Callback, FinetuneRef, Generation, Look, MicroUSD, Status, Ticket
from bot.providers.parameters import Value
from bot.providers.training import (
    FinetuneSpec,
    Inspection,
    Pack,
    Started,
    Training,
    TrainingPicture,
    TrainingSet,
    Withdrawn,
)

BASE = "https://api.astria.ai"
LARGEST_PICTURE = 64 * 1024 * 1024  # bytes
FIRST_WAIT = 30.0
"""Seconds until a question is asked again that met a 500 or a 429: what docs.astria.ai asks for."""
MOST_LISTED = 500
SEARCHED_PAGES = 5
"""How many of the newest pages are searched for a lost training; it was ordered minutes ago."""

_PAGE = 50  # Astria takes up to 120; each tune lists its pictures, and an answer has its limit
_SMALLEST_PAGE = 20  # what Astria gives where it ignores the limit
_PACK_SAMPLES = 20
_ID = re.compile(r"[0-9]{1,18}")
_PACK = re.compile(r"[A-Za-z0-9_-]{1,100}")
_API = re.compile(r"api\.astria\.ai")
_DELIVERY = re.compile(r"(?:mp|cdn)\.astria\.ai|sdbooth2-production\.s3\.amazonaws\.com")
_IN_THE_TEXT = "finetune_strength"

Form = list[tuple[str, str | FormFile]]


class Astria:
    """An Astria account.

    `base` sends everything elsewhere, and `origins` names further places that pictures may lie on: both are the
    admin's own and may be http on this machine; of these, only `base` gets the key. `now` tells Unix seconds.
    """

    name = "astria"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        key: SecretStr,
        base: str | None = None,
        origins: Collection[str] = (),
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._base = (base or BASE).rstrip("/")
        self._now = now
        named = {base} if base else set[str]()
        self._deliveries = Hosts(_DELIVERY, {*origins, *named})
        self._http = Http(
            session,
            name="Astria",
            hosts=Hosts(_API, named),
            headers={"Authorization": SecretStr(f"Bearer {key.get_secret_value()}")},
            explain=_explain,
            timeouts=timeouts,
        )

    async def create_finetune(
        self, spec: FinetuneSpec, training_set: TrainingSet, callback: Callback | None = None
    ) -> Started:
        """Begin a training, of a spec that `trainers.check` has passed.

        Its title is what `find_finetune` looks for; with idempotency switched on in the account, the same title gives
        the same finetune. A lost answer, a 500 and a 504 are Uncertain: Astria says of a 504 that the training was
        probably begun.

        Raises:
            Withdrawn: Astria has no training any more.
        """
        path = "/tunes"
        if spec.pack:
            if not _PACK.fullmatch(spec.pack):
                raise Refused("A pack is named by its number: choose one from the list.")
            path = f"/p/{spec.pack}/tunes"
        try:
            tune = await self._http.post_form(
                self._base + path, training_form(spec, training_set, callback), reply=Tune, pays=True
            )
        except NotThere as error:
            if spec.pack:
                raise Refused("Astria has no such pack: choose another, or none.") from error
            raise Withdrawn("Astria trains nothing any more: choose another trainer.") from error
        # A pack trains with a token of its own.
        return tune.started(trigger="" if spec.pack and tune.token and tune.name else _trigger(spec))

    async def finetune_status(self, ref: FinetuneRef) -> Training:
        """Look at a training. With a pack, `samples` are its pictures so far."""
        try:
            tune = await self._http.get(self._of_tune(ref), reply=Tune)
        except NotThere:
            return Training(status=Status.MISSING)
        except Refused as error:  # the question was turned down, not the training
            raise Broken(str(error)) from error
        drawn = tune.base_pack_id is not None and tune.trained_at is not None
        return tune.training(now=self._now(), samples=await self._samples(ref) if drawn else ())

    async def find_finetune(self, spec: FinetuneSpec) -> Started | None:
        """Look for a training by its title, in what Astria's own search finds and then among the newest.

        Whether the search matches whole titles or parts of them is nowhere said: only the very title counts.
        """
        for search in (f"&title={quote(spec.label, safe='')}", ""):
            async with aclosing(self._newest(pages=SEARCHED_PAGES, search=search)) as tunes:
                async for tune in tunes:
                    if tune.title == spec.label:
                        own = spec.pack and tune.token and tune.name
                        return tune.started(trigger="" if own else _trigger(spec))
        return None

    async def list_finetunes(self, region: str | None = None) -> list[FinetuneRef]:
        refs: list[FinetuneRef] = []
        async with aclosing(self._newest(pages=MOST_LISTED // _SMALLEST_PAGE)) as tunes:
            async for tune in tunes:
                refs.append(tune.ref())
                if len(refs) == MOST_LISTED:
                    break
        return refs

    async def finetune_details(self, ref: FinetuneRef) -> dict[str, str]:
        """
        Raises:
            Refused: Astria does not have it any more.
        """
        try:
            tune = await self._http.get(self._of_tune(ref), reply=Tune)
        except NotThere as error:
            raise Refused("Astria does not have this finetune any more.") from error
        return tune.facts()

    async def delete_finetune(self, ref: FinetuneRef) -> None:
        """Delete it. What Astria answers is nowhere said and may be nothing: what counts is that it is gone."""
        try:
            await self._http.delete(self._of_tune(ref), reply=Anything)
        except NotThere:
            return
        except Unavailable as error:
            if (await self.finetune_status(ref)).status is not Status.MISSING:
                raise error from None

    async def inspect_image(self, picture: TrainingPicture, class_name: str) -> Inspection:
        """
        Raises:
            Refused: Astria cannot read the picture.
        """
        form: Form = [("name", class_name), ("file", _file(picture.name, picture.content))]
        answer = await self._http.post_form(f"{self._base}/images/inspect", form, reply=Inspected, pays=False)
        return answer.inspection

    async def list_packs(self) -> list[Pack]:
        """The account's own packs."""
        return (await self._http.get(f"{self._base}/packs", reply=Listing)).packs

    async def generate(
        self, generation: Generation, inputs: Mapping[str, bytes], callback: Callback | None = None
    ) -> Ticket:
        """Order one picture, already checked by the catalogue. Tags and flags in its prompt are defused.

        With idempotency switched on in the account, the same order with the same callback address is drawn and paid
        once; without, there is no way to look for an order whose answer was lost.
        """
        model = catalogue.find(generation.model)
        form = order_form(generation, inputs, callback)
        try:
            receipt = await self._http.post_form(self._base + model.path, form, reply=Prompt, pays=True)
        except NotThere as error:
            raise Broken(f"Astria no longer offers {model.label}. Choose another model.") from error
        charge = receipt.charge
        return Ticket(provider=self.name, remote_id=receipt.id, cost=charge.cost, odd_cost=charge.odd)

    async def job_status(self, ticket: Ticket) -> Look:
        """Look at a picture ordered earlier. Not oftener than every 2 seconds: Astria answers 429 to that."""
        address = f"{self._base}/tunes/{FLUX_DEV}/prompts/{quote(ticket.remote_id, safe='')}"
        try:
            return (await self._http.get(address, reply=Prompt)).look
        except NotThere:
            return Look(status=Status.MISSING)
        except Refused as error:  # the question was turned down, not the picture: that is ordered
            raise Broken(str(error)) from error

    async def fetch_output(self, url: str, into: Path) -> None:
        """Download a finished picture. Its link is good for about 30 days, and needs no key."""
        await self._http.download(url, into, hosts=self._deliveries, cap=LARGEST_PICTURE)

    async def balance(self) -> MicroUSD:
        try:
            account = await self._http.get(f"{self._base}/users", reply=Account)
        except NotThere as error:
            raise Refused("Astria does not tell what is left on the account.") from error
        return MicroUSD(round(account.usd_balance_mc * MILLICENT))

    def _of_tune(self, ref: FinetuneRef) -> str:
        return f"{self._base}/tunes/{_tune_id(ref)}"

    async def _newest(self, *, pages: int, search: str = "") -> AsyncGenerator[Tune]:
        """The account's tunes, the newest first, from at most so many pages of whatever size Astria gives them."""
        ids: set[str] = set()
        before = ""
        for _ in range(pages):
            try:
                listing = await self._http.get(f"{self._base}/tunes?limit={_PAGE}{search}{before}", reply=Listing)
            except Refused as error:  # to the caller, Refused means that there are no lists at all
                raise Broken(str(error)) from error
            tunes = [tune for tune in listing.tunes if tune.id not in ids]
            if not tunes:
                return
            ids |= {tune.id for tune in tunes}
            before = f"&before_id={min(int(tune.id) for tune in tunes)}"
            for tune in tunes:
                yield tune

    async def _samples(self, ref: FinetuneRef) -> tuple[str, ...]:
        try:
            drawn = await self._http.get(f"{self._of_tune(ref)}/prompts?limit={_PACK_SAMPLES}", reply=Listing)
        except (NotThere, Refused):  # the training is what was asked about
            return ()
        return tuple(image for prompt in drawn.prompts for image in prompt.images)[:_PACK_SAMPLES]


def training_form(spec: FinetuneSpec, training_set: TrainingSet, callback: Callback | None) -> Form:
    """The form that begins a training. A pack knows by itself on what it is trained, and how."""
    form: Form = [("tune[title]", spec.label), ("tune[name]", spec.class_name)]
    if not spec.pack:
        form += [
            ("tune[token]", spec.trigger),
            ("tune[base_tune_id]", str(FLUX_DEV)),
            ("tune[model_type]", "lora"),
        ]
        # A finetune without a preset is trained for 100 steps a picture instead of 27: where the member chose nothing,
        # it is the one that the trainer's entry names and the estimate was made with. The word "none" is ours.
        preset = trainer_entries.ASTRIA.parameter("preset")
        chosen = {"preset": preset.default, **spec.parameters} if preset and preset.default else spec.parameters
        form += [(f"tune[{name}]", _text_of(value)) for name, value in chosen.items() if value != "none"]
    if callback:
        form.append(("tune[callback]", callback.url))
    for picture in training_set.pictures:
        form.append(("tune[images][]", _file(picture.name, picture.content)))
        if picture.caption and picture.caption.strip():
            stem = picture.name.rpartition(".")[0]
            form.append(("tune[images][]", FormFile(f"{stem}.txt", "text/plain", picture.caption.encode())))
    return form


def order_form(generation: Generation, inputs: Mapping[str, bytes], callback: Callback | None) -> Form:
    """The form that orders one picture.

    Raises:
        Refused: settings that do not go together, or a prompt of nothing but tags and flags.
        Broken: the generation is not one of Astria's.
    """
    catalogue.check_sizes(generation, inputs)
    parameters = generation.parameters
    astria_models.check_together(parameters, inputs)
    if generation.finetune is None:
        raise Broken("A picture was to be ordered at Astria without a finetune.")
    text = escape_syntax(generation.prompt)
    if not text:
        raise Refused("Say what to draw: tags such as <lora:…> and --flags are left out, and nothing else is there.")
    strength = parameters.get(_IN_THE_TEXT, 1)
    tag = lora_tag(_tune_id(generation.finetune), float(strength))
    form: Form = [("prompt[text]", f"{tag} {text}"), ("prompt[num_images]", "1")]
    form += [
        (f"prompt[{name}]", SPELLINGS.get(str(value), _text_of(value)))
        for name, value in parameters.items()
        if name != _IN_THE_TEXT
    ]
    if callback:
        form.append(("prompt[callback]", callback.url))
    form += [(f"prompt[{role}]", _file("input", content)) for role, content in inputs.items()]
    return form


def _tune_id(ref: FinetuneRef) -> str:
    if ref.provider != "astria" or not _ID.fullmatch(ref.remote_id):
        raise Broken("This finetune is not one of Astria's, or is stored without its number.")
    return ref.remote_id


def _trigger(spec: FinetuneSpec) -> str:
    """Token and class name: both must be in a prompt."""
    return f"{spec.trigger} {spec.class_name}".strip()


def _text_of(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".")
        case _:
            return str(value)


def _file(name: str, content: bytes) -> FormFile:
    """A picture under its own kind, which Astria tells by name and type."""
    kind = "png" if content.startswith(b"\x89PNG") else "webp" if content[8:12] == b"WEBP" else "jpeg"
    stem = name.rpartition(".")[0] or name
    return FormFile(name if name.endswith(".jpg") else f"{stem}.{kind}", f"image/{kind}", content)


def _explain(failure: Failure) -> BotError | None:
    """What Astria means. Bodies of 401 and 402 are nowhere documented; a 422 is a hash of fields and what is wrong.

    A 5xx to an order is left to the common reading: Uncertain, except for 503. docs.astria.ai wants a 500 tried again
    after 30 seconds; with what is paid, the outcome is looked for instead.
    """
    reason = failure.reason.lower()
    if failure.status >= 500:
        if failure.method != "GET":
            return None
        return Unavailable(
            f"Astria has trouble just now ({failure.status}).", retry_after=failure.retry_after or FIRST_WAIT
        )
    if failure.status == 402 or "paid plan" in reason or "insufficient balance" in reason:
        return Broken("This server's account at Astria has no money left, or no paid plan: the admin has to see to it.")
    if failure.status in {401, 403}:
        return Broken("Astria did not accept the key of this server's account: the admin has to look at it.")
    if failure.status == 429:
        return Unavailable("Astria is busy with this server.", retry_after=failure.retry_after or FIRST_WAIT)
    return None
