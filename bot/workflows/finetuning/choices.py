"""What a member can choose a finetune and its model from."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.parameters import Model
from bot.workflows.base.kit import Kit
from bot.workflows.finetuning.types import FinetuneView, usual_model
from bot.workflows.finetuning.views import FinetuneViews
from storage.finetuning import finetunes
from storage.finetuning.finetunes import FinetuneState

MOST_SEARCHED = 500
"""Finetunes among which a typed name is looked for."""


@dataclass(frozen=True)
class FinetuneChoice:
    """A finetune in a list."""

    name: str
    obstacle: str | None
    """The state that keeps it from being drawn with just now; None where it is ready."""


class FinetuneChoices:
    """The finetunes that a member can name in a command."""

    def __init__(self, kit: Kit, *, views: FinetuneViews) -> None:
        self._work = kit.work
        self._views = views

    async def search(
        self, typed: str, *, guild_id: int, user_id: int, roles: Sequence[int], ready: bool
    ) -> list[FinetuneChoice]:
        """Those whose name has all the typed words, newest first: with `ready` what the member may draw with just now,
        else what they own or may use, also what is not trained yet."""
        async with self._work.read() as db:
            usable = await finetunes.list_usable(
                db, guild_id=guild_id, user_id=user_id, roles=roles, limit=MOST_SEARCHED, ready=ready
            )
        words = typed.casefold().split()
        choices: list[FinetuneChoice] = []
        for finetune in usable:
            if all(word in finetune.name.casefold() for word in words):
                state = "frozen" if finetune.frozen_at is not None else str(finetune.state)
                choices.append(FinetuneChoice(finetune.name, None if state == FinetuneState.READY else state))
        return choices

    async def load_models(self, name: str, *, guild_id: int, user_id: int, roles: Sequence[int]) -> list[Model]:
        """What draws with the finetune of that name, the usual one first; nothing where the member may not."""
        view = await self._views.find_by_name(guild_id, name)
        if view is None or not view.usable:
            return []
        async with self._work.read() as db:
            may_use = await finetunes.may_use(db, view.finetune.id, user_id=user_id, roles=roles)
        return finetuned_models(view) if may_use else []


def finetuned_models(view: FinetuneView) -> list[Model]:
    """What draws with a finetune, the usual one first."""
    usual = usual_model(view)
    return [catalogue.find(key) for key in (usual, *(key for key in view.trainer.models if key != usual))]


def finetuned_named(text: str, view: FinetuneView) -> Model:
    """A model that draws with this finetune; a base model stands for its sibling that does.

    Raises:
        Refused: it does not; the sentence names those that do.
    """
    wanted = text.strip().casefold()
    models = finetuned_models(view)
    for model in models:
        names = [model.key, model.label, model.base or "", catalogue.find(model.base).label if model.base else ""]
        if wanted and wanted in map(str.casefold, names):
            return model
    labels = ", ".join(model.label for model in models)
    raise Refused(f"“{text.strip()[:60]}” does not draw with “{view.finetune.name}”. What does: {labels}.")
