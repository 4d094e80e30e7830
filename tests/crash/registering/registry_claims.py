"""What must be true of registrations when all is at rest, whatever happened to the bot, the chain or the pins."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from bot.pinning.cid import parse
from bot.workflows.registering.types import Outcome
from storage.base.jobs import State
from storage.registering.registrations import RegistrationState
from tests.crash.finetuning.kiln_life import buttons_of, words_of
from tests.crash.registering.registry_life import Registry
from tests.crash.remains import Remains

ENDED = {
    RegistrationState.CONFIRMED: {State.DONE},
    RegistrationState.DENIED: {State.FAILED},
    RegistrationState.FAILED: {State.FAILED},
    RegistrationState.WITHDRAWN: {State.CANCELLED},
    RegistrationState.EXPIRED: {State.CANCELLED},
    RegistrationState.SUBMITTED: {State.PARKED},
}
"""How the job of a registration stands when nobody is at work on it."""
TAKEN_BACK = (RegistrationState.DENIED, RegistrationState.WITHDRAWN, RegistrationState.EXPIRED)


def broken_claims(remains: Remains, shown: Sequence[str] = ()) -> list[str]:
    """Each claim that does not hold, as a sentence. `shown` are the custom_ids of all buttons that can be seen."""
    return [*broken_beside_files(remains, shown), *_files(remains)]


def broken_beside_files(remains: Remains, shown: Sequence[str] = ()) -> list[str]:
    """The same, in a world with more than registrations, whose files are others', too."""
    return [
        *remains.complaints,
        *_jobs(remains),
        *_chain(remains),
        *_pins(remains),
        *_audit(remains),
        *_check_news(remains, shown),
    ]


def broken_by_registration(world: Registry) -> list[str]:
    """The same of a world in which one image was to be registered, and was."""
    return [*_always(world), *_registered(world), *_cards(world)]


def broken_by_withdrawal(world: Registry) -> list[str]:
    """The same where its member has taken it back in time: nothing of it is left anywhere."""
    return [*_always(world), *_withdrawn(world)]


def _always(world: Registry) -> Iterator[str]:
    yield from broken_claims(world.remains, [each for post in world.posts for each in buttons_of(post)])
    yield from (f"Discord refused {each.kind}: {each.body}" for each in world.discord.requests if each.status == 400)
    yield from (f"a temporary file is left: {path}" for path in (world.folder / "media" / "tmp").glob("*"))
    if len(world.remains.registrations) != 1:
        yield f"there are the registrations {[each['id'] for each in world.remains.registrations]}"


def _registered(world: Registry) -> Iterator[str]:
    """It is confirmed and read back; each step is done; no more was sent than what was signed."""
    (registration,) = world.remains.registrations
    if registration["state"] != RegistrationState.CONFIRMED or len(world.remains.tokens) != 1:
        yield f"it is {registration['state']}, with {len(world.remains.tokens)} tokens: {registration['error']}"
        return
    outcome = Outcome.model_validate_json(registration["outcome"] or "null")
    if not outcome.proven:
        yield f"it was not proven: {outcome}"
    unfinished = [step["name"] for step in world.remains.tables["steps"] if step["finished_at"] is None]
    if unfinished:
        yield f"the steps {unfinished} are not finished"
    signed = {attempt["raw"] for attempt in world.remains.tables["attempts"]}
    sent = {received.params[0] for received in world.chain.requests if received.method == "eth_sendRawTransaction"}
    if not sent <= signed:
        yield f"{len(sent - signed)} transactions were sent that were not saved"


def _cards(world: Registry) -> Iterator[str]:
    """One card, one for the moderators, and the news: each there once, where the bot thinks that it is."""
    (registration,) = world.remains.registrations
    (job,) = [each for each in world.remains.tables["jobs"] if each["id"] == registration["id"]]
    (review,) = world.remains.tables["reviews"]
    by_id = {each.id: each for each in world.posts}
    card, asked = by_id.pop(job["message_id"], None), by_id.pop(review["message_id"], None)
    if card is None or asked is None:
        yield f"the card is {job['message_id']} and the question {review['message_id']}; there are {sorted(by_id)}"
        return
    if "Read back and verified" not in words_of(card):
        yield f"the card says {words_of(card)}"
    if any(each.startswith("1:rev:") for each in buttons_of(asked)) or "Approved" not in words_of(asked):
        yield f"the moderators' card says {words_of(asked)} with {buttons_of(asked)}"
    news = [each for each in by_id.values() if not any(":failed." in name for name in buttons_of(each))]
    if len(news) != 1 or not words_of(news[0]).startswith(f"<@{world.discord.member.id}>"):
        yield f"the news are {[words_of(each) for each in news]}"
    for body in [each.body for each in world.discord.requested("message.create") if each.committed]:
        users = body.get("allowed_mentions", {}).get("users") if isinstance(body, dict) else None
        if users and [int(each) for each in users] != [world.discord.member.id]:
            yield f"Discord was told to notify {users}"


def _withdrawn(world: Registry) -> Iterator[str]:
    (registration,) = world.remains.registrations
    if registration["state"] != RegistrationState.WITHDRAWN or world.remains.tokens:
        yield f"it is {registration['state']}, with {len(world.remains.tokens)} tokens: {registration['error']}"
    if world.pinata.files:
        yield f"{[file.cid for file in world.pinata.files]} are still pinned"


def _jobs(remains: Remains) -> Iterator[str]:
    """Nobody is at work or holds on to anything, and each job ended as its registration did."""
    jobs = {job["id"]: job for job in remains.tables["jobs"]}
    for job in jobs.values():
        if job["holds_slot"] or job["lease_holder"] or job["lease_until"]:
            yield f"{job['id']} holds a slot or a lease"
    for each in remains.registrations:
        job = jobs[each["id"]]
        if job["state"] not in ENDED.get(each["state"], set()):
            yield f"{each['id']} is {each['state']} and its job {job['state']}: {each['error']} / {job['error']}"
    for each in remains.tables["transactions"]:
        if each["state"] == "open":
            yield f"the transaction {each['id']} is open"


def _chain(remains: Remains) -> Iterator[str]:
    """One token for each confirmed registration and none beside, as an IP asset with the right owner and hashes."""
    confirmed = remains.of(RegistrationState.CONFIRMED)
    if len(remains.tokens) != len(confirmed):
        yield f"there are {len(remains.tokens)} tokens for {len(confirmed)} confirmed registrations"
    by_number = {str(token.number): token for token in remains.tokens}
    for each in confirmed:
        token = by_number.pop(each["token_id"], None)
        if token is None:
            yield f"{each['id']} is confirmed as token {each['token_id']}, which is not there, or another's"
            continue
        terms = each["terms"]
        wrong = [
            *(["ip id"] if token.ip_id != each["ip_id"] or not token.is_registered else []),
            *(["owner"] if f'"recipient":"{token.owner}"' not in terms else []),
            *(["metadata hash"] if token.ip_hash != each["ip_metadata"] else []),
            *(["NFT metadata hash"] if token.nft_hash != each["nft_metadata"] else []),
            *(["metadata address"] if not token.ip_uri.endswith(f"/ipfs/{each['ip_cid']}") else []),
            *(["NFT metadata address"] if not token.uri.endswith(f"/ipfs/{each['nft_cid']}") else []),
        ]
        if wrong:
            yield f"the token of {each['id']} has a wrong {', '.join(wrong)}: {token}"
    for token in remains.tokens:
        for uri, hashed in ((token.ip_uri, token.ip_hash), (token.uri, token.nft_hash)):
            stored = _read_stored(remains, hashed)
            if stored is None or hashlib.sha256(stored).hexdigest() != hashed:
                yield f"token {token.number} has the hash {hashed} on the chain, and there is no such file"
            cid = uri.rsplit("/", 1)[-1]
            if not remains.pinata.quirks.corrupt and hashed not in {file.content for file in _find_pins(remains, cid)}:
                yield f"what is pinned as {cid} has not the hash {hashed}, which is on the chain"


def _pins(remains: Remains) -> Iterator[str]:
    """What is pinned is what the table says; what was taken back is nowhere."""
    rows = [row for row in remains.tables["pins"] if row["unpinned_at"] is None]
    pinned = {str(parse(file.cid)): file.content for file in remains.pinata.files}
    confirmed = {each["id"] for each in remains.of(RegistrationState.CONFIRMED)}
    for row in rows if not remains.pinata.quirks.corrupt else []:
        if row["registration_id"] in confirmed and pinned.get(row["cid"]) != row["sha256"]:
            yield f"{row['cid']} should be pinned, and {'has other bytes' if row['cid'] in pinned else 'is not'}"
    for cid in pinned.keys() - {row["cid"] for row in rows}:
        yield f"{cid} is pinned, and nobody knows"
    back = {each["id"] for each in remains.registrations if each["state"] in TAKEN_BACK}
    for row in remains.tables["pins"]:
        if row["registration_id"] in back and row["unpinned_at"] is None:
            yield f"{row['registration_id']} was taken back, and {row['cid']} is still noted as pinned"
    counted = Counter(file.cid for file in remains.pinata.files)
    yield from (f"{cid} is pinned {count} times" for cid, count in counted.items() if count > 1)


def _files(remains: Remains) -> Iterator[str]:
    """Each file that a registration needs is there with its bytes; each that is there is named by something."""
    named: set[str] = set()
    for each in remains.tables["registrations"]:
        needed = {each["preview"], each["ip_metadata"], each["nft_metadata"]}
        if each["state"] not in (*TAKEN_BACK, RegistrationState.DRAFT):
            needed.add(each["sha256"])
        named |= needed - {None}
    named |= {image["sha256"] for image in remains.tables["images"] if image["deleted_at"] is None}
    for sha256 in named:
        content = _read_stored(remains, sha256)
        if content is None or hashlib.sha256(content).hexdigest() != sha256:
            yield f"the file {sha256} is {'gone' if content is None else 'damaged'}"
    media = remains.folder / "media"
    for path in media.glob("??/??/*"):
        if path.name not in named:
            yield f"the file {path.name} is named by nothing"


def _audit(remains: Remains) -> Iterator[str]:
    """Each step of a registration was written down once; nothing was signed without an approval."""
    for each in remains.registrations:
        own, tries = each["id"], each["tries"] + 1
        for action, most in (
            ("registration submitted", 1),
            ("registration begun", tries),
            ("registration pinned", tries),
            ("registration signed", tries),
            ("registration confirmed", 1),
            ("registration read back", 1),
        ):
            if len(remains.entries(own, action)) > most:
                yield f"the audit says {len(remains.entries(own, action))} times that {own}: {action}"
        begun = remains.entries(own, "registration begun")
        approvals = [entry["number"] for entry in remains.entries(own, "register approved")]
        if any(not approvals or entry["number"] < min(approvals) for entry in begun):
            yield f"{own} was begun without an approval"
        if each["state"] == RegistrationState.CONFIRMED and not remains.entries(own, "registration confirmed"):
            yield f"the audit does not say that {own} is confirmed"


def _check_news(remains: Remains, shown: Sequence[str]) -> Iterator[str]:
    """Of each end, its owner was told once."""
    if not shown:
        return
    for each in remains.registrations:
        about = {RegistrationState.CONFIRMED: "registered", RegistrationState.DENIED: "denied"}.get(each["state"])
        once = f"{each['tries']}" if about != "registered" else "0"
        links = Counter(custom_id for custom_id in shown if custom_id.startswith(f"1:reg:show:{each['id']}:"))
        if about and links[f"1:reg:show:{each['id']}:{about}.{once}"] != 1:
            yield f"of {each['id']}, which is {each['state']}, there are the news {dict(links)}"
        yield from (f"{custom_id} was told {count} times" for custom_id, count in links.items() if count > 1)


def _find_pins(remains: Remains, cid: str) -> list[Any]:
    return remains.pinata.pinned(parse(cid))


def _read_stored(remains: Remains, sha256: str) -> bytes | None:
    path = remains.folder / "media" / sha256[:2] / sha256[2:4] / sha256
    return path.read_bytes() if path.exists() else None
