"""`python -m benchmarks.processes.chain_node [seconds between blocks]`: the sandbox's chain in a process of its own.

It prints its address, and runs until its input ends.
"""

import asyncio
import sys

from aiohttp.test_utils import TestServer

from standins.chain import ChainServer


async def serve(block_time: float | None) -> None:
    chain = ChainServer(block_time=block_time)
    async with TestServer(chain.app()) as server:
        print(server.make_url(chain.rpc_path), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    await chain.close()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) if len(sys.argv) > 1 else None))
