"""What members and moderators do: commands, presses and forms, at random."""

import asyncio
import io
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from standins.discord import Interaction, Message, upload
from standins.discord.rules import TEXT_INPUT, walk
from standins.discord.state import User
from tests.chaos.scene import Scene
from tests.scenes.kiln import picture

PAUSE = 0.1
"""Real seconds between two acts, on average."""
FORM = 1.5
"""Real seconds that somebody waits for a form."""
MODELS = (None, "flux-dev", "flux-pro-1.1", "astria-flux", "vimmerse-flux")
TRAINERS = ("bfl", "astria", "vimmerse-flux-pro")
SUBJECTS = ("a lighthouse", "an owl on a branch", "a red bicycle", "a teapot in the snow", "a quiet harbour")
WANTED: Mapping[str, float] = {
    "fin:start": 12,
    "fin:again": 4,
    "reg:begin": 6,
    "reg:text": 4,
    "reg:submit": 60,
    "reg:retry": 6,
    "reg:withdraw": 0.3,
    "reg:discard": 0.1,
    "reg:json": 0.1,
    "reg:recipient": 0.05,
    "reg:creators": 0.2,
    "rev:ok": 12,
    "rev:deny": 0.7,
    "rev:undo": 0.4,
    "img:delete": 0.15,
    "fin:discard": 0.1,
    "fin:delete": 0.3,
    "img:cancel": 0.3,
}
"""How much more often than once a button is pressed, by its verb. All others count 1."""
LEFT_ALONE = ("img:retry",)
"""May be paid for twice, and says so: a witness could not tell that from a mistake."""


class People:
    """They act until they are told to stop; what was typed and pressed is noted."""

    def __init__(self, scene: Scene, chance: random.Random, note: Callable[[str], None]) -> None:
        self._scene, self._chance, self._note = scene, chance, note
        self._forms: set[asyncio.Task[None]] = set()
        self.commands: list[Interaction] = []
        self._archive = _archive()
        self._decided: set[str] = set()

    async def act(self) -> None:
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / PAUSE))
            if not (self._scene.alive and self._scene.connected):
                continue
            await self._do_something()

    async def _do_something(self) -> None:
        dice = self._chance.random()
        try:
            if dice < 0.28:
                await self._imagine()
            elif dice < 0.34:
                await self._finetune()
            else:
                await self.press()
        except LookupError as error:  # the command or the button is not there any more
            self._note(f"nobody could: {error}")

    async def _imagine(self) -> None:
        chance = self._chance
        options: dict[str, Any] = {"prompt": chance.choice(SUBJECTS), "count": chance.choice((1, 1, 2, 3))}
        if model := chance.choice(MODELS):
            options["model"] = model
        member = chance.choice(self._scene.members)
        self._note(f"{member.name}: /imagine {options}")
        self.commands.append(await self._scene.discord.slash(member, self._scene.discord.channel, "imagine", **options))

    async def _finetune(self) -> None:
        chance, member = self._chance, self._chance.choice(self._scene.members)
        options: dict[str, Any] = {
            "name": f"Owl {chance.randrange(10**6)}",
            "kind": "character",
            "trainer": chance.choice(TRAINERS),
            "class_noun": "cat",
            "archive": upload("set.zip", self._archive),
        }
        self._note(f"{member.name}: /finetune create {options['name']} at {options['trainer']}")
        where = self._scene.discord.channel
        self.commands.append(await self._scene.discord.slash(member, where, "finetune create", **options))

    async def press(self, *only: str) -> bool:
        """Somebody who may presses a button that is there; with `only`, one of these verbs."""
        buttons = self._buttons(only)
        if not buttons:
            return False
        weights = [WANTED.get(_verb(custom_id), 1.0) for _, _, custom_id in buttons]
        ((user, message, custom_id),) = self._chance.choices(buttons, weights)
        self._note(f"{user.name} presses {custom_id}")
        if only:
            self._decided.add(custom_id)
        pressed = await self._scene.discord.press(user, message, custom_id)
        task = asyncio.create_task(self._fill_in(pressed))
        self._forms.add(task)
        task.add_done_callback(self._forms.discard)
        return True

    def _buttons(self, only: Sequence[str]) -> list[tuple[User, Message, str]]:
        """Of the last messages that can be seen: who presses what."""
        presses: list[tuple[User, Message, str]] = []
        for channel in (self._scene.discord.channel, self._scene.review):
            shown = [each for each in channel.messages if not each.deleted and not each.loading]
            for message in shown if only else shown[-40:]:
                user = self._presser(message)
                presses += [
                    (user, message, each["custom_id"])
                    for _, each in walk(message.components)
                    if each.get("type") == 2
                    and each.get("custom_id")
                    and not each.get("disabled")
                    and _verb(each["custom_id"]) not in LEFT_ALONE
                    and (not only or (_verb(each["custom_id"]) in only and each["custom_id"] not in self._decided))
                ]
        return presses

    def _presser(self, message: Message) -> User:
        """Whoever asked for it; of the moderators' messages a moderator."""
        if message.channel is self._scene.review:
            return self._scene.moderator
        asked = int(message.interaction["user"]["id"]) if message.interaction else 0
        return next(
            (each for each in self._scene.members if each.id == asked), self._chance.choice(self._scene.members)
        )

    async def _fill_in(self, asked: Interaction) -> None:
        try:
            async with asyncio.timeout(FORM):
                while asked.modal is None:
                    if asked.original:
                        return
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return
        values = fill_form(asked.modal["components"], self._chance)
        self._note(f"{asked.user.name} sends {asked.modal['custom_id']}")
        try:
            await self._scene.discord.submit_modal(asked, values)
        except LookupError as error:
            self._note(f"a form could not be sent: {error}")


def fill_form(components: Sequence[dict[str, Any]], chance: random.Random) -> dict[str, Any]:
    """What somebody in no mood to read types into it."""
    values: dict[str, Any] = {}
    for _, each in walk(components):
        name, kind = each.get("custom_id"), each.get("type")
        if not name:
            continue
        if kind == TEXT_INPUT:
            if each.get("value") is None and each.get("required", True):
                values[name] = chance.choice(SUBJECTS)
        elif kind == 23:
            values[name] = True
        elif options := each.get("options"):
            chosen = next((one["value"] for one in options if one.get("default")), chance.choice(options)["value"])
            values[name] = chosen if kind == 21 else [chosen]
        elif kind == 19 and each.get("required"):
            values[name] = [upload("more.jpg", picture(chance.randrange(10**6), size=(512, 512)))]
    return values


def _verb(custom_id: str) -> str:
    return ":".join(custom_id.split(":")[1:3])


def _archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for number in range(4):
            file.writestr(f"owl-{number}.jpg", picture(number, size=(512, 512)))
    return content.getvalue()
