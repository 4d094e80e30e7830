"""Vimmerse's API: it trains FLUX LoRAs, makes up a trigger word for each, and draws where that stands in a prompt.

Source: Vimmerse's OpenAPI document (vimmerse-api.redoc.ly). It leaves open where the trigger word is told, what a
training under way looks like, and whether an asset comes bare or wrapped in `data`: what is sent here is exactly what
the document names, and what is answered is read in every form that it may mean.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr

from bot.errors import BotError, Broken, Refused, Uncertain
from bot.http.answers import clean
from bot.http.client import Failure, Http, NotThere, Timeouts
from bot.http.hosts import Hosts
from bot.http.payloads import Form, FormFile, PlainForm
from bot.providers import catalogue, trainers
from bot.providers.interface import (
    Callback,
    FinetuneRef,
    Generation,
    Look,
    Status,
    Ticket,
)
from bot.providers.training import FinetuneSpec, Started, TrainedSubject, Training, TrainingSet, Withdrawn
from bot.providers.vimmerse.answers import Answer, Asset, links_in, redact, word_in

HOST = "https://api.vimmerse.net"
TIMEOUTS = Timeouts(idle=170, total=180)
"""A server that ignores `async_mode` says nothing until the picture is drawn."""
LARGEST_PICTURE = 64 * 1024 * 1024  # bytes

_API = re.compile(r"api\.vimmerse\.net")
_MEDIA = re.compile(r"(?:dev-)?media\.vimmerse\.net")
_KONTEXT = "FluxKontextFinetune"
_SUBJECTS = {
    TrainedSubject.GENERAL: "Auto",
    TrainedSubject.CHARACTER: "Character",
    TrainedSubject.PRODUCT: "Product",
    TrainedSubject.STYLE: "Style",
}


@dataclass(frozen=True, slots=True)
class _Look:
    """The state of a training by one address of the API."""

    training: Training
    sure: bool = True
    """It is this address that decides whether the training is over."""


class Vimmerse:
    """A Vimmerse account.

    `base` sends all requests elsewhere, and gets the key. `origins` names further places that pictures may lie on;
    they get no key. Both are the admin's own, and may be http on this machine.
    """

    name = "vimmerse"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        key: SecretStr,
        base: str | None = None,
        origins: Collection[str] = (),
        timeouts: Timeouts = TIMEOUTS,
    ) -> None:
        self._key = key
        self._base = (base or HOST).rstrip("/")
        own = {base} if base else set[str]()
        self._deliveries = Hosts(_MEDIA, {*origins, *own})
        self._http = Http(
            session,
            name="Vimmerse",
            hosts=Hosts(_API, own),
            headers={"X-Api-Key": key},
            explain=_explain,
            timeouts=timeouts,
        )

    async def create_finetune(
        self, spec: FinetuneSpec, training_set: TrainingSet, callback: Callback | None = None
    ) -> Started:
        """Begin a training, already checked by `trainers.check`.

        An answer without a trigger word, but with an asset, is a training all the same: `remote_id` is empty then, and
        `finetune_status` looks for the word. A lost answer cannot be looked for: the API lists no trainings.
        """
        form = training_form(spec, training_set, callback)
        try:
            answer = await self._http.post_form(f"{self._base}/finetune", form, reply=Answer, pays=True)
        except NotThere as error:
            raise Withdrawn("Vimmerse no longer trains finetunes: choose another trainer.") from error
        content = answer.content
        asset = Asset.of(content)
        trigger = word_in(content) or asset.trigger or ""
        if not trigger and not asset.known_by:
            raise Uncertain(
                "Vimmerse took the training, and its answer names neither the trigger word nor the asset: "
                + self._redact(answer)
            )
        return Started(
            ref=FinetuneRef(
                provider=self.name,
                remote_id=trigger,
                trigger=trigger,
                task_id=asset.known_by,
                option=trainers.find(spec.trainer).option,
            )
        )

    async def finetune_status(self, ref: FinetuneRef) -> Training:
        """Look at a training.

        The trigger word's own address decides; the asset is asked where that says nothing usable, or that it is not
        over: it alone tells failures. Of Kontext finetunes, which the documentation of the first does not mention, the
        asset's word is enough.

        Raises:
            Broken: it is over, and nothing says which its trigger word is.
        """
        trigger = ref.remote_id or ref.trigger
        if not trigger:
            return await self._look_by_asset(ref)
        look = await self._look_by_trigger(trigger)
        if look.training.status.ended or not ref.task_id:
            return look.training
        answer = await self._asset(ref.task_id)
        asset = Asset.of(answer.content) if answer else None
        return _weigh(look, asset, kontext=ref.option == _KONTEXT)

    async def generate(
        self, generation: Generation, inputs: Mapping[str, bytes], callback: Callback | None = None
    ) -> Ticket:
        """Order one picture, already checked by the catalogue.

        A server that draws at once answers with the picture's link, which the ticket then keeps as `polling_url`.
        """
        model = catalogue.find(generation.model)
        form = picture_form(generation, inputs, callback)
        address = self._base + model.path
        try:
            if any(isinstance(value, FormFile) for _, value in form):
                answer = await self._http.post_form(address, form, reply=Answer, pays=True)
            else:
                plain = PlainForm(tuple((name, value) for name, value in form if isinstance(value, str)))
                answer = await self._http.post_plain_form(address, plain, reply=Answer, pays=True)
        except NotThere as error:
            raise Broken(f"Vimmerse no longer offers {model.label}. Choose another model.") from error
        asset = Asset.of(answer.content)
        known_by = asset.known_by or word_in(answer.content)
        if not known_by and not asset.links:
            raise Uncertain(
                "Vimmerse took the order, and its answer names neither an asset nor a picture: " + self._redact(answer)
            )
        link = asset.links[0] if asset.links else None
        return Ticket(provider=self.name, remote_id=known_by or "", polling_url=link)

    async def job_status(self, ticket: Ticket) -> Look:
        """Look at a picture ordered earlier.

        Raises:
            Broken: it is ready, and there is no picture.
        """
        answer = await self._asset(ticket.remote_id) if ticket.remote_id else None
        if answer is None:
            given = (ticket.polling_url,) if ticket.polling_url else ()
            return Look(status=Status.READY if given else Status.MISSING, urls=given)
        asset = Asset.of(answer.content)
        status = asset.state
        if status is Status.READY and not asset.links:
            raise Broken("Vimmerse says that the picture is ready, and sent none.")
        return Look(
            status=status,
            progress=asset.progress_percentage,
            urls=asset.links if status is Status.READY else (),
            seconds=asset.seconds if status is Status.READY else None,
            reasons=asset.reasons if status is Status.FAILED else (),
        )

    async def fetch_output(self, url: str, into: Path) -> None:
        """Download a finished picture or a sample. Vimmerse does not say how long its link is good."""
        await self._http.download(url, into, hosts=self._deliveries, cap=LARGEST_PICTURE)

    async def _asset(self, id_: str) -> Answer | None:
        """What is known of an asset; None where there is none."""
        try:
            return await self._http.get(f"{self._base}/asset/{quote(id_, safe='')}", reply=Answer)
        except NotThere:
            return None
        except Refused as error:  # the question was turned down, not what it is about: that is ordered
            raise Broken(str(error)) from error

    async def _look_by_asset(self, ref: FinetuneRef) -> Training:
        """How a training is going whose trigger word is not known yet, and that word as soon as it is."""
        if not ref.task_id:
            raise Broken("This finetune is stored with neither its trigger word nor its asset.")
        answer = await self._asset(ref.task_id)
        if answer is None:
            return Training(status=Status.MISSING)
        asset = Asset.of(answer.content)
        training = _training_of(asset)
        if not asset.trigger:
            if training.status is Status.READY:
                raise Broken(f"The bot cannot find the trigger word in what Vimmerse answered: {self._redact(answer)}")
            return training
        if training.status is not Status.FAILED:
            look = await self._look_by_trigger(asset.trigger)
            ended = look.training.status.ended
            training = look.training if ended else _weigh(look, asset, kontext=ref.option == _KONTEXT)
        return training.model_copy(update={"trigger": asset.trigger})

    async def _look_by_trigger(self, trigger: str) -> _Look:
        address = f"{self._base}/finetune/{quote(trigger, safe='')}"
        try:
            answer = await self._http.get(address, reply=Answer)
        except NotThere:
            return _Look(Training(status=Status.MISSING))
        except Refused as error:  # 400: nobody says what it is answered to, so it is no end
            return _Look(Training(status=Status.MISSING, reasons=(clean(str(error)),)))
        match answer.content:
            case []:
                return _Look(Training(status=Status.RUNNING))
            case [*_] as samples if links := links_in(samples):
                return _Look(Training(status=Status.READY, samples=links))
            case {"status": str()} as asset:
                return _Look(_training_of(Asset.of(asset)))
            case _:
                return _Look(Training(status=Status.RUNNING), sure=False)

    def _redact(self, answer: Answer) -> str:
        return redact(answer.root, key=self._key.get_secret_value())


def training_form(spec: FinetuneSpec, training_set: TrainingSet, callback: Callback | None) -> Form:
    """The form that begins a training: for a Kontext finetune, pictures in pairs of start and end.

    Raises:
        Refused: there is an odd number of pictures where they come in pairs.
    """
    option = trainers.find(spec.trainer).option
    assert option, "Vimmerse has several trainers, and each has a name there"
    pictures = training_set.pictures
    form: list[tuple[str, str | FormFile]] = [("option", option), ("lora_prefix", spec.trigger)]
    if option == _KONTEXT:
        if len(pictures) % 2:
            raise Refused("Vimmerse Kontext learns from pairs, before and after: one picture is alone.")
        form.append(("prompt", spec.instruction))
    else:
        form.append(("finetune_type", _SUBJECTS[spec.subject]))
    if "num_iterations" in spec.parameters:
        form.append(("num_iterations", str(spec.parameters["num_iterations"])))
    if callback:
        form.append(("webhook_url", callback.url))
    form += [("image_files", FormFile(picture.name, "image/jpeg", picture.content)) for picture in pictures]
    return form


def picture_form(
    generation: Generation, inputs: Mapping[str, bytes], callback: Callback | None
) -> list[tuple[str, str | FormFile]]:
    """The form that orders a picture for a checked generation.

    Raises:
        Refused: an image is too large; or the finetune has learned an edit and the model draws from words, or the other
            way round.
        Broken: not the images that the generation names, or the finetune is stored without its trigger word.
    """
    catalogue.check_sizes(generation, inputs)
    finetune = generation.finetune
    trigger = finetune and (finetune.trigger or finetune.remote_id)
    if finetune is None or not trigger:
        raise Broken("This finetune is stored without its trigger word.")
    edits = generation.model == "vimmerse-kontext"
    if finetune.option and (finetune.option == _KONTEXT) is not edits:
        other = catalogue.find("vimmerse-flux" if edits else "vimmerse-kontext")
        raise Refused(f"This finetune works with {other.label}: choose that model.")
    prompt = generation.prompt.strip()
    if not re.search(rf"(?<!\w){re.escape(trigger)}(?!\w)", prompt):  # nothing else says which finetune is meant
        prompt = f"{trigger}, {prompt}" if prompt else trigger
    form: list[tuple[str, str | FormFile]] = [
        ("prompt", prompt),
        ("option", "FluxKontextFinetuned" if edits else "FluxFinetuned"),
        ("quantity", "1"),
        ("async_mode", "true"),
    ]
    for name, value in generation.parameters.items():
        form.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    if callback:
        form.append(("webhook_url", callback.url))
    form += [(role, _picture_file(content)) for role, content in inputs.items()]
    return form


def _picture_file(content: bytes) -> FormFile:
    if content.startswith(b"\x89PNG"):
        return FormFile("image.png", "image/png", content)
    if content.startswith(b"RIFF"):
        return FormFile("image.webp", "image/webp", content)
    return FormFile("image.jpg", "image/jpeg", content)


def _explain(failure: Failure) -> BotError | None:
    """What Vimmerse means. Its errors are `{"message": …}`, and where a form is wrong FastAPI's `{"detail": […]}`."""
    reason = failure.reason.lower().replace("_", " ")
    if failure.status >= 500:
        return None
    if failure.status == 402 or "insufficient credit" in reason:
        return Broken("This server's account at Vimmerse is out of credits: the admin has to add some.")
    if failure.status in {401, 403} or "api key" in reason:
        return Broken("Vimmerse did not accept the key of this server's account: the admin has to look at it.")
    return None


def _training_of(asset: Asset) -> Training:
    """What an asset tells of a training."""
    return Training(
        status=asset.state,
        progress=asset.progress_percentage,
        samples=asset.links if asset.state is Status.READY else (),
        reasons=asset.reasons if asset.state is Status.FAILED else (),
    )


def _weigh(look: _Look, asset: Asset | None, *, kontext: bool) -> Training:
    """What holds where the trigger word's address does not say that it is over, and the asset says something too."""
    if asset is None:
        return look.training
    training = _training_of(asset)
    if training.status is Status.READY:
        decides = not look.sure or (kontext and look.training.status is Status.MISSING)
        return training if decides else look.training
    if training.status is Status.FAILED or look.training.status is Status.MISSING or not look.sure:
        return training
    return look.training
