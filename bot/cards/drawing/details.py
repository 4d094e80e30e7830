"""Every number of a request, for those who want to know exactly."""

from bot import limits
from bot.cards.base.words import duration, escaped, money, quoted, shortened
from bot.cards.drawing.lines import seeds_of
from bot.errors import Refused
from bot.providers import catalogue
from bot.workflows.drawing.types import PictureView, RequestView


def request_details(view: RequestView) -> str:
    """The exact parameters, results, prices and times as markdown, fit for one message; the prompt gives way."""
    job, request = view.job, view.request
    lines = [
        f"**Request** `{job.id}` by <@{job.owner_id}>",
        f"**Model** `{_code(request.model)}` at {_provider(request.model)}",
    ]
    if request.parameters:
        lines.append("**Parameters** " + ", ".join(f"`{_code(f'{k}={v}')}`" for k, v in request.parameters.items()))
    if request.inputs:
        lines.append("**Images put in** " + ", ".join(f"`{_code(k)}` {sha[:12]}…" for k, sha in request.inputs.items()))
    if request.parent_image_id:
        lines.append(f"**Made from** `{_code(request.parent_image_id)}`")
    lines += [_picture(view, number, picture) for number, picture in enumerate(view.pictures, 1)]
    actual = money(view.cost) if view.cost is not None else "not known for every picture"
    lines.append(f"**Cost** estimated {money(job.cost_estimated)}, charged {actual}")
    lines.append(_times(view))
    rest = "\n".join(line for line in lines if line)
    room = (limits.ANSWER_CHARACTERS - len(rest) - len("**Prompt** \n")) // 2  # escaped, each character may be two
    prompt = quoted(request.prompt, min(room, 1000)) if room > 20 else ""
    return shortened(f"**Prompt** {prompt}\n{rest}" if prompt else rest, limits.ANSWER_CHARACTERS)


def _picture(view: RequestView, number: int, picture: PictureView) -> str:
    image, cost = picture.image, picture.job.cost_actual
    facts = [
        str(picture.stage) if image is None else f"{image.width} × {image.height}",
        f"{image.bytes / 1e6:.2f} MB {image.extension}" if image else None,
        seeds_of(view, [image]) if image else None,
        f"SHA-256 `{image.sha256[:12]}…`" if image else None,
        money(cost) if cost is not None else None,
    ]
    return f"**Picture {number}** " + ", ".join(fact for fact in facts if fact)


def _times(view: RequestView) -> str:
    ended = [picture.job.ended_at for picture in view.pictures if picture.job.ended_at is not None]
    done = f", ended <t:{max(ended):.0f}:T>" if view.ended and ended else ""
    took = ""
    if view.seconds is not None:
        took = ", drawn in " + (f"{view.seconds:.1f} s" if view.seconds < 60 else duration(view.seconds))
    agreed = f", agreed to after {duration(view.asked_for)}" if view.asked_for is not None else ""
    return f"**Asked** <t:{view.job.created_at:.0f}:f>{agreed}{took}{done}"


def _provider(key: str) -> str:
    try:
        return escaped(catalogue.find(key).provider)
    except Refused:
        return "a service that is not in the catalogue any more"


def _code(text: str) -> str:
    """Text that stays inside its backticks."""
    return shortened(text.replace("`", "ʼ").replace("\n", " "), 120)
