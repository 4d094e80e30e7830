"""The objects as Astria shows them: no status, no images before they are there, times as text."""

from datetime import UTC, datetime
from typing import Any

from standins.astria.records import Prompt, Tune
from standins.astria.service import FLUX_DEV, Pack, Service, key_of

_PESSIMISM = 0.7  # of the duration: a real training of 274 seconds was announced for 324 seconds later than it came


def describe_tune(service: Service, tune: Tune, origin: str) -> dict[str, Any]:
    """A finetune as it stands now. `origin` is where this server can be reached, for the links."""
    now = service.clock()
    over = now >= tune.ends_at
    trained = over and not tune.error
    return {
        "id": tune.id,
        "title": tune.title,
        "name": tune.name,
        "token": tune.token,
        "base_tune_id": tune.base_tune_id,
        "base_pack_id": tune.base_pack_id,
        "args": None,
        "steps": tune.steps,
        "face_crop": tune.face_crop,
        "training_face_correct": tune.training_face_correct,
        "auto_extend": tune.auto_extend,
        "ckpt_url": None,
        "ckpt_urls": [],
        "eta": _write_time(tune.ends_at + _PESSIMISM * tune.duration),
        "started_training_at": _write_time(tune.starts_at) if now >= tune.starts_at else None,
        "trained_at": _write_time(tune.ends_at) if trained else None,
        "failed_at": _write_time(tune.ends_at) if over and tune.error else None,
        "user_error": tune.error if over else None,
        "expires_at": _write_time(tune.expires_at) if trained and tune.expires_at is not None else None,
        "created_at": _write_time(tune.created),
        "updated_at": _write_time(min(now, tune.ends_at)),
        "branch": tune.branch,
        "model_type": tune.model_type,
        "preset": tune.preset,
        "callback": tune.callback,
        "cost_mc": tune.cost_mc,
        "is_api": True,
        "url": f"{origin}/tunes/{tune.id}.json",
        "orig_images": [f"{origin}/mp/{key_of('tune', tune.id, place)}" for place in range(len(tune.images))],
    }


def describe_prompt(service: Service, prompt: Prompt, origin: str) -> dict[str, Any]:
    """An order as it stands now; until it is drawn there is no `images` in it at all."""
    now = service.clock()
    over = now >= prompt.ends_at
    shown: dict[str, Any] = {
        "id": prompt.id,
        "callback": prompt.callback,
        "text": prompt.text,
        "negative_prompt": None,
        "cfg_scale": prompt.fields.get("cfg_scale"),
        "steps": prompt.fields.get("steps"),
        "seed": prompt.seed,
        "num_images": prompt.num_images,
        "aspect_ratio": prompt.fields.get("aspect_ratio"),
        "trained_at": _write_time(prompt.ends_at) if over and not prompt.error else None,
        "started_training_at": _write_time(prompt.starts_at) if now >= prompt.starts_at else None,
        "created_at": _write_time(prompt.created),
        "updated_at": _write_time(min(now, prompt.ends_at)),
        "tune_id": prompt.tune_id,
        "cost_mc": prompt.cost_mc,
        "user_error": prompt.error if over else None,
        "url": f"{origin}/tunes/{prompt.tune_id}/prompts/{prompt.id}.json",
    }
    if over and not prompt.error:
        keys = (key_of("prompt", prompt.id, place) for place in range(prompt.num_images))
        shown["images"] = [f"{origin}/mp/{key}" for key in keys]
    return shown


def describe_pack(pack: Pack) -> dict[str, Any]:
    """A pack, as GET /packs shows it."""
    return {
        "id": pack.id,
        "base_tune_id": FLUX_DEV,
        "user_id": 1,
        "slug": pack.slug,
        "title": pack.title,
        "token": "ohwx",
        "created_at": "2024-01-17T12:35:13.379Z",
        "updated_at": "2024-04-04T12:14:52.094Z",
        "multiplier": 10,
        "model_type": "lora",
        "public_at": None,
        "cost_mc_hash": pack.cost_mc,
    }


def _write_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
