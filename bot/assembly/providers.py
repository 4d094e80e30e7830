"""The admin's accounts at the providers: which there are, and how much of each may be under way at once."""

from collections.abc import Sequence

import aiohttp

from bot.clock import Clock
from bot.config import Settings
from bot.providers.astria.client import Astria
from bot.providers.bfl.client import Bfl
from bot.providers.catalogue import MODELS
from bot.providers.interface import Provider
from bot.providers.trainer_entries import TRAINERS
from bot.providers.vimmerse.client import Vimmerse
from bot.workflows.base.types import CARDS
from bot.workflows.drawing.views import lane_of
from bot.workflows.finetuning.starting import training_lane
from bot.workflows.registering.types import AT_ONCE
from bot.workflows.registering.types import KIND as REGISTER
from storage.base.queue import Lane

UPLOADS = 32
"""Requests that are delivered at once; each holds its images' bytes only while it is sent."""
TRAININGS = 8
"""Trainings of one provider that are under way at once; no provider names a limit for them: ours."""


def providers_of(
    settings: Settings, session: aiohttp.ClientSession, origins: Sequence[str], clock: Clock
) -> dict[str, Provider]:
    """The providers for which a key is set, by name."""
    addresses = {
        settings.bfl_region: settings.bfl_api_url,
        "us1": settings.bfl_us1_url,
        "eu1": settings.bfl_eu1_url,
    }
    bases = {region: str(url).rstrip("/") for region, url in addresses.items() if url}
    providers: list[Provider] = [
        Bfl(session, key=settings.bfl_api_key, region=settings.bfl_region, bases=bases, origins=origins)
    ]
    if settings.astria_api_key:
        base = str(settings.astria_api_url).rstrip("/") if settings.astria_api_url else None
        providers.append(Astria(session, key=settings.astria_api_key, base=base, origins=origins, now=clock.now))
    if settings.vimmerse_api_key:
        base = str(settings.vimmerse_api_url).rstrip("/") if settings.vimmerse_api_url else None
        providers.append(Vimmerse(session, key=settings.vimmerse_api_key, base=base, origins=origins))
    return {provider.name: provider for provider in providers}


def homes_of(settings: Settings) -> dict[str, str]:
    """By provider, the region that it trains in unless somebody chooses another."""
    return {"bfl": "eu1" if settings.bfl_region == "eu" else "us1"}


def lanes_of(settings: Settings) -> list[Lane]:
    """The limits of each queue: what the providers allow, and how many cards are delivered at once."""
    sizes = {"bfl": settings.bfl_active_tasks, "bfl-kontext-max": settings.bfl_kontext_max_tasks}
    by_name = {
        lane_of(model): Lane(
            name=lane_of(model),
            pool=model.pools[0].name,
            size=sizes.get(model.pools[-1].name, model.pools[-1].slots),
            pool_size=sizes.get(model.pools[0].name, model.pools[0].slots),
        )
        for model in MODELS
    }
    trained = {training_lane(trainer.provider) for trainer in TRAINERS}
    return [
        *by_name.values(),
        *(Lane(name, name, TRAININGS, TRAININGS) for name in sorted(trained)),
        Lane(CARDS, CARDS, UPLOADS, UPLOADS),
        Lane(REGISTER, REGISTER, AT_ONCE, AT_ONCE),
    ]
