"""Packs: what a trainer offers to draw as soon as it has trained, for a price of its own."""

from bot.errors import BotError, Refused
from bot.providers.training import FinetuneSpec, HasPacks, Pack
from bot.workflows.base.kit import Kit

REMEMBERED_FOR = 600.0
"""Seconds for which a trainer's packs are remembered while members type."""


class Packs:
    """The packs of the accounts that are set up here."""

    def __init__(self, kit: Kit) -> None:
        self._clock = kit.clock
        self._provider = next((each for each in kit.providers.values() if isinstance(each, HasPacks)), None)
        self._remembered: tuple[float, list[Pack]] = (float("-inf"), [])

    async def offered(self) -> list[Pack]:
        """Those of the account; none where no trainer has any, or it does not answer."""
        until, packs = self._remembered
        if self._provider is None or self._clock.monotonic() < until:
            return packs
        try:
            packs = await self._provider.list_packs()
        except BotError:
            packs = []
        self._remembered = (self._clock.monotonic() + REMEMBERED_FOR, packs)
        return packs

    async def price(self, spec: FinetuneSpec) -> FinetuneSpec:
        """The spec with what its pack's pictures cost, which is charged together with the training.

        Raises:
            Refused: there is no such pack, or it does not draw what is trained.
        """
        if spec.pack is None:
            return spec
        pack = next((each for each in await self.offered() if each.id == spec.pack), None)
        if pack is None:
            raise Refused("There is no such pack: choose one from the list, or none.")
        if pack.class_names and spec.class_name not in pack.class_names:
            class_names = ", ".join(pack.class_names[:12])
            raise Refused(f"“{pack.title}” draws {class_names}: give one of these as “class_noun”.")
        return spec.model_copy(update={"pack_cost": pack.costs.get(spec.class_name, pack.cost)})
