"""Everything at once, at random: in the end each image is one token, and the wallet goes on."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from bot.errors import Unavailable
from bot.story.node.reverts import Duplicate
from bot.story.registrar import Mined, Mint, Registered
from standins.base.faults import Fault, hangs_up, html, loses_the_answer
from standins.chain import busy, changes, says, unavailable
from tests.scenes.story import GWEI, Desk, a_mint, own

__all__ = ["own"]

IMAGES = 8
STORM, CALM = 90, 600  # seconds


@dataclass
class Weather:
    """What befalls a chain, its node and the bot."""

    desk: Desk
    luck: random.Random
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, asyncio.Task[None]])
    done: dict[str, Registered] = field(default_factory=dict[str, Registered])

    async def befall(self) -> None:
        server = self.desk.node.server
        happenings: list[Callable[[], Awaitable[object]]] = [
            self._drop,
            self._drop,
            self._outsider,
            self._crash,
            lambda: server.reorg(self.luck.choice([1, 2]), back_to_pool=self.luck.random() < 0.5),
            lambda: server.revert_next(1),
            lambda: server.set_next_block_base_fee(self.luck.choice([1, 2, 30, 200]) * GWEI),
            self._fault,
            self._fault,
            self._fault,
            self._lag,
        ]
        await self.luck.choice(happenings)()

    def clear(self) -> None:
        server = self.desk.node.server
        server.faults.clear()
        server.lag = server.chain.doomed = 0

    async def _drop(self) -> None:
        waiting = list(self.desk.node.server.chain.pool)
        if waiting:
            await self.desk.node.drop("0x" + self.luck.choice(waiting).hash.hex())

    async def _outsider(self) -> None:
        server = self.desk.node.server
        server.lag = 0
        sender = bytes.fromhex(self.desk.wallet.address[2:])
        nonce = await server.run(server.chain.nonce, sender)
        signed = self.desk.wallet.sign(
            chain_id=1315, nonce=nonce, to=self.desk.wallet.address, data="0x", gas=21_000,
            max_fee=900 * GWEI, tip=300 * GWEI,
        )  # fmt: skip
        if all(each.nonce != nonce for each in server.chain.pool):
            await server.run(server.chain.submit, bytes.fromhex(signed.raw[2:]))

    async def _lag(self) -> None:
        self.desk.node.server.lag = self.luck.choice([0, 0, 1, 2])

    async def _fault(self) -> None:
        lie = self.luck.choice([-2, -1, 1, 3])
        trouble = self.luck.choice(
            [
                ("eth_getTransactionCount", changes(lambda count: hex(max(0, int(count, 16) + lie)))),
                ("eth_sendRawTransaction", loses_the_answer()),
                ("eth_sendRawTransaction", hangs_up()),
                ("eth_sendRawTransaction", says("0x" + "00" * 32)),
                ("eth_getTransactionByHash", says(None)),
                ("eth_getTransactionReceipt", says(None)),
                ("*", html()),
                ("*", busy()),
                ("*", unavailable()),
            ]
        )
        self.desk.node.server.faults.append(Fault(*trouble, times=self.luck.randint(1, 4)))

    async def _crash(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        self.desk = self.desk.again()
        self.desk.clock.tasks = self.busy  # pyright: ignore[reportAttributeAccessIssue]
        self.start(dict(self._mints))

    def busy(self) -> list[asyncio.Task[None]]:
        return list(self.tasks.values())

    def start(self, mints: dict[str, Mint]) -> None:
        self._mints = mints
        self.tasks = {
            name: asyncio.create_task(self._work(name, mint)) for name, mint in mints.items() if name not in self.done
        }

    async def _work(self, name: str, mint: Mint) -> None:
        """What the worker does, which alone tries again."""
        while name not in self.done:
            desk = self.desk
            try:
                self.done[name] = await _register(desk, name, mint)
            except Unavailable as error:
                await desk.clock.sleep(error.retry_after or 5)
            except Duplicate:
                await desk.clock.sleep(5)


async def _register(desk: Desk, name: str, mint: Mint) -> Registered:
    tries = 0
    while await desk.sender.has_reverted(f"{name}:{tries}"):
        tries += 1
    transaction_id = f"{name}:{tries}"
    if not await desk.sender.is_signed(transaction_id):
        existing = await desk.registrar.existing(mint)
        if existing is not None:
            return existing
        await desk.sender.save(transaction_id, await desk.sender.prepare(await desk.registrar.call_of(mint)))
    await desk.sender.broadcast(transaction_id)
    end = await desk.sender.await_final(transaction_id)
    if isinstance(end, Mined):
        return await desk.registrar.outcome(end)
    raise Unavailable(end.sentence)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_each_image_is_one_token(own: Desk, seed: int) -> None:
    await own.node.automine(False)
    await own.node.mine(4)  # the collection itself is there for good
    weather = Weather(own.again(confirmations=4, patience=30), random.Random(seed))
    weather.desk.clock.tasks = weather.busy  # pyright: ignore[reportAttributeAccessIssue]
    mints = {f"image-{number}": a_mint(f"seed {seed} image {number}") for number in range(IMAGES)}
    weather.start(mints)

    for second in range(STORM + CALM):
        if second < STORM and weather.luck.random() < 0.5:
            await weather.befall()
        if second == STORM:
            weather.clear()
        if second % 2 == 0:
            await own.node.mine()
        await own.clock.turn(1)
        if second > STORM and len(weather.done) == IMAGES:
            break

    for task in weather.tasks.values():
        assert task.done(), task
        task.result()
    assert set(weather.done) == set(mints)
    assert await own.supply() == IMAGES
    assert len({each.token_id for each in weather.done.values()}) == IMAGES
    for name, registered in weather.done.items():
        existing = await own.registrar.existing(mints[name])
        assert existing
        assert existing.ip_id == registered.ip_id
        assert (await own.registrar.read_back(mints[name], registered)).good
    await own.node.mine(40)  # fees come down
    (end,) = await own.settle(await own.submit(a_mint()), block_time=2)
    assert isinstance(end, Mined)
