"""Parts that several cards of registrations share."""

from collections.abc import Callable, Iterable

from bot import limits
from bot.cards.base.layout import Card, CardFile
from bot.cards.base.words import counted, escaped, listed, quoted, sentence, shortened
from bot.cards.finetuning.parts import code, within
from bot.story.licences import sentence as licence_sentence
from bot.story.node.networks import Network
from bot.workflows.base.files import FilePaths
from bot.workflows.registering.types import Alike, RegistrationView, Terms
from storage.base.jobs import Job
from storage.registering.registrations import Registration
from storage.registering.transitions import RegistrationState

LEAST = 20
ROOMS = (700, 400, 200, 100, 40, LEAST)
"""Characters that a long text may have, while all of them together are too long."""
TITLE = 100
"""Characters of a title, which are all of it."""
ALT = 400
"""Characters of a title and description in the alt text."""
NAME = 60
"""Characters of a creator's name that a card shows; “Exact JSON” has all."""
FREE = "Registering costs you nothing: the admin's wallet pays the network's fee."

_FROM = {
    "given": "given for this registration",
    "linked": "the member's linked wallet",
    "community": "the community's wallet, because the member has linked none",
}


def roomy(draw: Callable[[int], Card]) -> Card:
    """The card with as much room for each of its long texts as Discord has for all of them together."""
    card = draw(ROOMS[0])
    for room in ROOMS[1:]:
        if card.view.content_length() <= limits.CARD_CHARACTERS:
            break
        card = draw(room)
    return card


def title_of(title: str) -> str:
    return quoted(title, TITLE) or "no title yet"


def licence_of(terms: Terms, network: Network) -> str:
    """What others may do, in one sentence; of a derivative, its parent's licence says it."""
    if terms.parents:
        same = "The same as that of the picture it is derived from. "
        return f"{same}**{terms.licence.label}:** {licence_sentence(terms.licence, network.coin)}"
    return f"**{terms.licence.label}:** {licence_sentence(terms.licence, network.coin)}"


def recipient_of(terms: Terms, network: Network) -> str:
    """Whose the token will be, and why."""
    why = _FROM.get(terms.recipient_from, terms.recipient_from)
    return f"{address_link(terms.recipient, network)} ({escaped(why)})"


def address_link(address: str, network: Network, *, short: bool = False) -> str:
    """A wallet's or contract's address, leading to an explorer."""
    shown = f"{address[:8]}…{address[-6:]}" if short else address
    return f"[{shown}]({network.address_link(address)})"


def creators_of(terms: Terms, network: Network, *, room: int) -> list[str]:
    """A line each: name, share, wallet, and how many links there are."""
    lines: list[str] = []
    for each in terms.content.creators:
        about = f": {quoted(each.description, 80)}" if each.description else ""
        links = f", {counted(len(each.profiles), 'link')}" if each.profiles else ""
        wallet = address_link(each.address, network, short=True)
        lines.append(f"- {quoted(each.name, NAME)}, {each.share:g} %, {wallet}{links}{about}")
    return within(lines, room=room, most=10, more="creator")


def preview_of(
    registration: Registration, paths: FilePaths, *, spoiler: bool, title: str, about: str = ""
) -> list[CardFile]:
    """The small copy of the image; nothing where its file is gone."""
    path = paths.path(registration.preview)
    if not path.exists():
        return []
    description = f"{title}: {about}" if title and about else title or about
    return [
        CardFile(
            path=path,
            filename=f"{registration.id}.jpg",
            spoiler=spoiler,
            description=shortened(" ".join(description.split()), ALT) or "The picture that is registered",
        )
    ]


def preview_in(view: RegistrationView, paths: FilePaths) -> list[CardFile]:
    content = view.terms.content
    return preview_of(view.registration, paths, spoiler=view.spoiler, title=content.title, about=content.description)


def model_of(view: RegistrationView) -> str:
    """What drew it, and who trained that on what."""
    picture = view.terms.picture
    drawn = f"Drawn by {quoted(picture.model, 60)}"
    if picture.finetune:
        drawn += f" with the finetune {quoted(picture.finetune, 60)}"
        if picture.trained_by:
            drawn += f" of <@{picture.trained_by}>"
        where = f", trained at {quoted(picture.trainer, 40)}" if picture.trainer else ", trained"
        drawn += f"{where} on {counted(picture.training_pictures)}"
        if picture.contributors:
            people = [f"<@{who}>" for who in picture.contributors[:6]]
            if len(picture.contributors) > 6:
                people.append(counted(len(picture.contributors) - 6, "other member"))
            drawn += f" by {listed(people)}"
    if picture.made_from:
        drawn += f". It was made from the picture {code(picture.made_from, 24)}"
    return f"{drawn}."


def card_link(job: Job, what: str = "Its card") -> str | None:
    if job.message_id is None:
        return None
    return f"[{what}](https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.message_id})"


def alike_lines(alike: Iterable[Alike], network: Network) -> list[str]:
    """Others of the same bytes or looks, with a link to each."""
    lines: list[str] = []
    for each in alike:
        other = each.registration
        what = "⚠️ **The very same picture**" if each.exact else "Looks like"
        lines.append(f"{what} {other_link(other, network)}, by <@{other.owner_id}>, {STATES[other.state]}")
    return lines


STATES = {
    RegistrationState.DRAFT: "a draft",
    RegistrationState.SUBMITTED: "waiting for a moderator",
    RegistrationState.APPROVED: "approved",
    RegistrationState.PINNING: "being pinned",
    RegistrationState.PINNED: "pinned",
    RegistrationState.SIGNED: "signed",
    RegistrationState.SENT: "sent",
    RegistrationState.CONFIRMED: "registered",
    RegistrationState.DENIED: "denied",
    RegistrationState.WITHDRAWN: "withdrawn",
    RegistrationState.EXPIRED: "expired",
    RegistrationState.FAILED: "failed",
}


def other_link(other: Registration, network: Network) -> str:
    """An IP asset on its explorer, or the id of what is under way."""
    if other.ip_id:
        return f"[{short(other.ip_id)}]({network.ip_link(other.ip_id)})"
    return code(other.id, 24)


def short(digits: str) -> str:
    """An address or hash as people compare it."""
    return f"{digits[:8]}…{digits[-6:]}" if len(digits) > 18 else digits


def waiting_reason(job: Job, limit: int = 300) -> str | None:
    return sentence(job.error, limit) if job.error else None
