"""An account at a server that answers as it is told to, and what is ordered there."""

import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.web_request import FileField
from pydantic import SecretStr

from bot.http import client as http
from bot.http.client import Timeouts
from bot.providers import catalogue, trainers
from bot.providers.interface import Callback, FinetuneRef, Generation, Ticket
from bot.providers.training import (
    FinetuneSpec,
    Started,
    TrainedSubject,
    TrainingPicture,
    TrainingProvider,
    TrainingSet,
)
from bot.providers.vimmerse.client import Vimmerse
from tests import SPECS

SPEC = SPECS / "vimmerse.openapi.json"
KEY = "vimmerse-key-0123-very-secret"
HOOK = Callback(url="https://bot.example/callbacks/vimmerse/job/token", secret="unused")
LINK = "https://media.vimmerse.net/customer_id/ai_images/53c6eg9/output.png"
REF = FinetuneRef(provider="vimmerse", remote_id="LEO_ab12", trigger="LEO_ab12", task_id="a-1", option="FluxFinetune")
PHOTO = b"\xff\xd8\xff photograph"


class Answers:
    """A server that gives one answer to everything, or one by path, and remembers what it was asked."""

    def __init__(self, body: Any = None, *, status: int = 200, **by_path: tuple[int, Any]) -> None:
        self.body = body
        self.status = status
        self.by_path = by_path  # the path's first word to a status and a body
        self.asked: list[str] = []
        self.types: list[str] = []
        self.forms: list[list[tuple[str, str | tuple[str, str, bytes]]]] = []
        self.keys: set[str | None] = set()
        self.origin = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.raw_path}")
        self.keys.add(request.headers.get("X-Api-Key"))
        if request.method == "POST":
            self.types.append(request.content_type)
            self.forms.append([(name, _sent(value)) for name, value in (await request.post()).items()])
        status, body = self.by_path.get(request.path.split("/")[1], (self.status, self.body))
        return (
            web.Response(text=body, status=status)
            if isinstance(body, str) and body.startswith(("<", "!"))
            else web.json_response(body, status=status, headers={"Retry-After": "30"})
        )


def _sent(value: object) -> str | tuple[str, str, bytes]:
    if isinstance(value, FileField):
        with value.file as file:
            return value.filename, value.content_type, file.read()
    return str(value)


@contextlib.asynccontextmanager
async def account(answers: Answers, *, timeouts: Timeouts = http.DEFAULT_TIMEOUTS) -> AsyncGenerator[Vimmerse]:
    """The client, with its account on a server that gives these answers."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers.answer)
    async with TestServer(app) as server, http.session() as session:
        answers.origin = str(server.make_url("/").origin())
        yield Vimmerse(session, key=SecretStr(KEY), base=answers.origin, timeouts=timeouts)


def spec(
    trainer: str = "vimmerse-flux", subject: TrainedSubject = TrainedSubject.CHARACTER, **settings: Any
) -> FinetuneSpec:
    wanted = FinetuneSpec(id="try-1", name="Leo", trainer=trainer, subject=subject, trigger="LEO", **settings)
    return trainers.check(wanted, pictures=2)


def pictures(count: int = 2) -> TrainingSet:
    names = [f"{number:04}.jpg" for number in range(1, count + 1)]
    return TrainingSet(tuple(TrainingPicture(name, PHOTO + name.encode()) for name in names), archive=b"")


KONTEXT = spec(
    "vimmerse-kontext", TrainedSubject.GENERAL, instruction="turn the car red", parameters={"num_iterations": 50}
)


async def create(answers: Answers, wanted: FinetuneSpec | None = None, callback: Callback | None = None) -> Started:
    async with account(answers) as client:
        provider: TrainingProvider = client
        return await provider.create_finetune(wanted or spec(), pictures(), callback)


def a_lion(prompt: str = "LEO_ab12, a lion", ref: FinetuneRef = REF, **parameters: Any) -> Generation:
    return catalogue.check(Generation(model="vimmerse-flux", prompt=prompt, finetune=ref, parameters=parameters))


def an_edit(prompt: str = "") -> Generation:
    ref = REF.model_copy(update={"option": "FluxKontextFinetune"})
    wanted = Generation(model="vimmerse-kontext", prompt=prompt, finetune=ref, inputs={"image_file": "5e" * 32})
    return catalogue.check(wanted)


async def generate(answers: Answers, generation: Generation | None = None) -> Ticket:
    chosen = generation or a_lion()
    async with account(answers) as client:
        return await client.generate(chosen, dict.fromkeys(chosen.inputs, b"\x89PNG picture"), None)


def load_properties(path: str, media_type: str) -> dict[str, Any]:
    """The properties of the form that the document names for `path`."""
    if not SPEC.exists():
        pytest.skip(f"the published specification {SPEC.name} is not at hand")
    document = json.loads(SPEC.read_text())
    content = document["paths"][path]["post"]["requestBody"]["content"]
    assert list(content) == [media_type]
    name = content[media_type]["schema"]["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][name]["properties"]
