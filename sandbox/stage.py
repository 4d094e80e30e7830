"""The product on the sandbox's stage: started, restarted while the page stays open, and stopped."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager

from sandbox.world import World

_log = logging.getLogger(__name__)

# Everything that a restart replaces: the block builds the bot and its database, connects the bot with
# `world.connected(bot)`, runs the workers beside it, and takes all that down again when it ends.
Product = Callable[[World], AbstractAsyncContextManager[object]]


class Stage:
    """Runs the product in a task of its own, where its context managers are entered and left."""

    def __init__(self, product: Product, world: World) -> None:
        self._product = product
        self._world = world
        self._lock = asyncio.Lock()
        self._run: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._doing = ""
        self.trouble = ""  # why it is stopped, in one line

    @property
    def state(self) -> str:
        """`starting`, `running`, `stopping` or `stopped`."""
        return self._doing or ("running" if self._run and not self._run.done() else "stopped")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Have the product up for the length of the block.

        Raises:
            Exception: whatever it raised while it started.
        """
        await self._start()
        try:
            yield
        finally:
            async with self._lock:
                await self._stop()

    async def restart(self) -> None:
        """Stop and start the product; one that died by itself is started.

        Raises:
            Exception: whatever the new one raised while it started. Another restart may be tried.
        """
        async with self._lock:
            await self._stop()
            await self._start()

    async def _start(self) -> None:
        self._doing, self.trouble = "starting", ""
        try:
            up = asyncio.Event()
            self._over = asyncio.Event()
            self._run = asyncio.create_task(self._play(up, self._over), name="sandbox product")
            waiting = asyncio.create_task(up.wait())
            await asyncio.wait((self._run, waiting), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if not up.is_set():
                failed, self._run = self._run, None
                await failed
        finally:
            self._doing = ""

    async def _stop(self) -> None:
        self._doing = "stopping"
        self._over.set()
        try:
            if self._run:
                await self._run
        except Exception:  # it was logged when it happened, and must not keep a new bot from starting
            _log.debug("The bot did not stop well", exc_info=True)
        finally:
            self._doing = ""
            self._run = None

    async def _play(self, up: asyncio.Event, over: asyncio.Event) -> None:
        try:
            async with self._product(self._world):
                up.set()
                await over.wait()
        except Exception as error:
            self.trouble = f"{type(error).__name__}: {error}"
            _log.exception("The bot failed")
            raise
