"""Callbacks: each sent once and never again, without a signature, in one of the two dialects."""

from typing import Any

import aiohttp

from standins.astria.answers import describe_prompt, describe_tune
from standins.astria.service import Service


async def deliver(service: Service, session: aiohttp.ClientSession, origin: str) -> int:
    """Call back for everything that has ended, and was not called back for; how many callbacks were taken.

    A training that fails calls nobody. With `early_callbacks`, an order also calls when it has been begun, without
    images.
    """
    now, taken = service.clock(), 0
    for tune in service.newest_tunes():
        if now < tune.ends_at or tune.error:
            continue
        if tune.callback and tune.model_type != "faceid" and not tune.called_back:
            tune.called_back = True
            service.archive.save(tune)
            taken += await _send(service, session, tune.callback, "tune", describe_tune(service, tune, origin))
        drawn = [prompt for prompt in service.prompts if prompt.pack_of == tune.id]
        settled = bool(drawn) and all(now >= prompt.ends_at for prompt in drawn)
        if tune.prompts_callback and settled and not tune.prompts_called_back:
            tune.prompts_called_back = True
            service.archive.save(tune)
            shown = [describe_prompt(service, prompt, origin) for prompt in drawn]
            taken += await _send(service, session, tune.prompts_callback, "", shown)
    for prompt in service.newest_prompts():
        if not prompt.callback or prompt.called_back:
            continue
        if now >= prompt.ends_at:
            prompt.called_back = True
        elif now >= prompt.starts_at and service.quirks.early_callbacks and not prompt.early_called_back:
            prompt.early_called_back = True
        else:
            continue
        service.archive.save(prompt)
        taken += await _send(service, session, prompt.callback, "prompt", describe_prompt(service, prompt, origin))
    return taken


async def _send(service: Service, session: aiohttp.ClientSession, address: str, name: str, shown: Any) -> bool:
    if service.quirks.callbacks == "lost":
        return False
    message = {name: shown} if name and service.quirks.callbacks == "wrapped" else shown
    try:
        async with session.post(address, json=message, timeout=aiohttp.ClientTimeout(total=30)) as answer:
            return answer.ok
    except (aiohttp.ClientError, TimeoutError):
        return False
