"""Sends a request to Discord once more whose connection broke before the answer came.

Discord closes a connection that was kept open now and then, and a request may just be leaving on it. discord.py tries
again only what it knows from other systems (errno 54 and 10054). Nothing is done twice: an edit and a deletion are the
same twice, a message has a nonce, and a second acknowledgement is refused with a code of its own. A sentence for one
person alone may be there twice.
"""

import logging

import aiohttp
import discord

log = logging.getLogger(__name__)

_SESSION = "_HTTPClient__session"


def repeat_broken_requests(client: discord.Client) -> None:
    """Let every request of this client be sent twice at most; called when its session is open.

    discord.py makes the session and has no setting for what stands between it and its requests.
    """
    session = vars(client.http).get(_SESSION)
    if isinstance(session, aiohttp.ClientSession):
        vars(session)["_middlewares"] = (_repeat,)


async def _repeat(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        log.info("A %s to Discord is sent once more: %r", request.method, error)
        return await handler(request)
