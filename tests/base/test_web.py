"""Callbacks from the world: what is genuine wakes a job, and nothing else does anything."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from bot.errors import Lacking, MachineTrouble
from bot.jobs.hints import Hints
from bot.providers.interface import Callback
from bot.web import GAP, LARGEST_BODY, Web
from bot.workflows.base.callbacks import Callbacks, callback_key
from storage.base import queue
from storage.base.queue import NewJob
from storage.database import row
from tests.scenes.workbench import Bench

JOB = "3k9x2f-1"


@dataclass
class Post:
    """A provider on the other side of the internet."""

    bench: Bench
    callbacks: Callbacks
    session: aiohttp.ClientSession
    origin: str

    def callback(self, provider: str = "astria", job_id: str = JOB) -> Callback:
        callback = self.callbacks.of(provider, job_id)
        assert callback
        return callback

    async def call(self, url: str, body: object = "{}", **more: object) -> int:
        path = url.removeprefix("https://bot.example.com")
        async with self.session.post(self.origin + path, data=body, **more) as response:  # pyright: ignore[reportArgumentType]
            await response.read()
            return response.status

    async def due_at(self) -> float:
        async with self.bench.database.read() as db:
            job = await row(db, "SELECT due_at FROM jobs WHERE id = :id", {"id": JOB})
        assert job
        return job["due_at"]


@asynccontextmanager
async def a_post(bench: Bench, *, read_within: float = 5.0) -> AsyncGenerator[Post]:
    """A bot that is called back, with a job that looks at its training again in an hour."""
    now = bench.clock.now()
    async with bench.database.write() as db:
        await queue.add(db, NewJob("3k9x2f", "finetune", 1, 2, 3, "{}", "cards", parked=True), now=now)
        await queue.add(db, NewJob(JOB, "train", 1, 2, 3, "{}", "bfl", parent_id="3k9x2f"), now=now)
        await queue.claim(db, holder="test", now=now, lease_until=now + 60)
        await queue.put_back(db, job_id=JOB, holder="test", due_at=now + 3600, keep_slot=True)
    hints = Hints(bench.database, bench.clock, bench.signals)
    callbacks = Callbacks(await callback_key(bench.database), hints, public_url="https://bot.example.com/")
    async with (
        Web(callbacks, bench.clock, read_within=read_within).serving("127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        yield Post(bench, callbacks, session, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("body", ['{"tune":{"id":1}}', '{"id":1}', "not json", "", b"\xff\xfe\x00"])
async def test_a_genuine_call_makes_the_job_look_now_whatever_it_says(bench: Bench, body: object) -> None:
    async with a_post(bench) as post:
        assert await post.call(post.callback().url, body) == 200
        assert await post.due_at() == bench.clock.now()


async def test_an_address_of_another_job_or_provider_is_as_unknown_as_any(bench: Bench) -> None:
    async with a_post(bench) as post:
        url = post.callback().url
        token = url.rpartition("/")[2]
        for wrong in (
            url.replace(token, "0" * 40),
            url.replace(token, token[:-1]),
            url.replace("astria", "vimmerse"),
            url.replace(JOB, "3k9x2f-2"),
            url.replace(JOB, "3k9x2f%0A-1"),
            url.replace(token, "%ED%A0%80" * 10),
            "https://bot.example.com/callbacks",
            "https://bot.example.com/",
        ):
            assert await post.call(wrong) == 404, wrong
        assert await post.due_at() > bench.clock.now()


async def test_a_wrong_secret_of_bfl_counts_as_unknown_and_the_right_one_as_genuine(bench: Bench) -> None:
    async with a_post(bench) as post:
        callback = post.callback("bfl")
        body = b'{"task_id":"1","status":"SUCCESS"}'
        forged = hmac.new(b"guess", body, hashlib.sha256).hexdigest()
        signature = hmac.new(callback.secret.encode(), body, hashlib.sha256).hexdigest()

        assert await post.call(callback.url, body, headers={"X-Webhook-Secret": "guess"}) == 404
        assert await post.call(callback.url, body, headers={"X-BFL-Signature": f"sha256={forged}"}) == 404
        assert await post.due_at() > bench.clock.now()
        assert await post.call(callback.url, body, headers={"X-BFL-Signature": f"sha256={signature}"}) == 200
        assert await post.due_at() == bench.clock.now()
        assert await post.call(callback.url, body, headers={"X-Webhook-Secret": callback.secret}) == 200


async def test_a_body_that_is_too_large_is_not_read_to_its_end(bench: Bench) -> None:
    async with a_post(bench) as post:
        assert await post.call(post.callback().url, b"x" * (LARGEST_BODY + 1)) == 413
        assert await post.due_at() > bench.clock.now()


async def test_a_body_that_never_ends_is_not_waited_for(bench: Bench) -> None:
    async with a_post(bench, read_within=0.05) as post:
        forever = asyncio.Event()

        async def drip() -> AsyncGenerator[bytes]:
            yield b"{"
            await forever.wait()

        assert await post.call(post.callback().url, drip()) == 408
        assert await post.due_at() > bench.clock.now()


async def test_a_flood_of_calls_is_one_look_a_second(bench: Bench) -> None:
    async with a_post(bench) as post:
        url = post.callback().url
        given = post.callbacks.hints.give
        wakings: list[str] = []

        async def counted(job_id: str) -> None:
            wakings.append(job_id)
            await given(job_id)

        post.callbacks.hints.give = counted
        for _ in range(200):
            assert await post.call(url) == 200
        assert wakings == [JOB]

        await bench.clock.leap(GAP)
        assert await post.call(url) == 200
        assert wakings == [JOB, JOB]


async def test_a_call_for_a_job_that_is_over_changes_nothing(bench: Bench) -> None:
    async with a_post(bench) as post:
        assert await post.call(post.callback(job_id="gone-1").url) == 200
        assert await post.due_at() > bench.clock.now()


async def test_a_call_that_a_busy_database_keeps_from_its_job_is_asked_for_again(bench: Bench) -> None:
    async with a_post(bench) as post:
        given = post.callbacks.hints.give

        async def fail(job_id: str) -> None:
            raise MachineTrouble(f"The database is too busy to wake {job_id}.", lacking=Lacking.DATABASE)

        post.callbacks.hints.give = fail
        assert await post.call(post.callback().url) == 503
        post.callbacks.hints.give = given
        assert await post.call(post.callback().url) == 200
        assert await post.due_at() == bench.clock.now()


async def test_addresses_are_known_again_after_a_restart_and_nobody_elses_bot_makes_them(bench: Bench) -> None:
    async with a_post(bench) as post:
        again = Callbacks(
            await callback_key(bench.database), post.callbacks.hints, public_url="https://bot.example.com"
        )
        assert again.of("astria", JOB) == post.callback()
        other = Callbacks(b"another key", post.callbacks.hints, public_url="https://bot.example.com")
        assert other.of("astria", JOB) != post.callback()
        assert "bot.example.com" not in repr(post.callback())


async def test_health_tells_that_it_lives_and_nothing_else(bench: Bench) -> None:
    async with a_post(bench) as post, post.session.get(post.origin + "/health") as response:
        assert (response.status, await response.text()) == (200, "ok")
        assert response.headers["Server"] == "bot"
