"""The addresses to which providers may call back, one for each job, and the check that a call is genuine."""

import hashlib
import hmac
import secrets

from bot.jobs.hints import Hints
from bot.providers.interface import Callback
from storage.base import notes
from storage.database import Database

_KEY = "callback key"
"""The note that holds it: addresses of jobs that are under way must stay valid after a restart."""
PATH = "/callbacks"


class Callbacks:
    """Makes and checks the addresses. Without a public address there are none, and polling does it all.

    An address is made from the job's id and a key of this bot, so nothing has to be stored for it, nobody can guess
    one, and a job has the same one at every try.
    """

    def __init__(self, key: bytes, hints: Hints, *, public_url: str | None) -> None:
        self._key = key
        self._public_url = public_url.rstrip("/") if public_url else None
        self.hints = hints

    def of(self, provider: str, job_id: str) -> Callback | None:
        """Where this provider may say that this job has changed."""
        if self._public_url is None:
            return None
        token = self._sign("path", provider, job_id)
        url = f"{self._public_url}{PATH}/{provider}/{job_id}/{token}"
        return Callback(url=url, secret=self._sign("secret", provider, job_id))

    def genuine(self, provider: str, job_id: str, token: str) -> bool:
        """Whether an address is one of ours; the time that this takes says nothing about how much of it is right."""
        return hmac.compare_digest(self._sign("path", provider, job_id).encode(), token.encode())

    def secret_of(self, provider: str, job_id: str) -> str:
        """What a provider that sends secrets was given with that address."""
        return self._sign("secret", provider, job_id)

    def _sign(self, *parts: str) -> str:
        return hmac.new(self._key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()[:40]


async def callback_key(database: Database) -> bytes:
    """The key of this installation, made at its first start."""
    async with database.write() as db:
        key = await notes.find(db, _KEY)
        if key is None:
            key = secrets.token_hex(32)
            await notes.save(db, _KEY, key)
    return bytes.fromhex(key)
