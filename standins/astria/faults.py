"""The trouble that is Astria's own; the others are those of `standins.bfl.faults`."""

from aiohttp import web

from standins.bfl.faults import Handler, Trouble

_PAGE = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n</html>\r\n"


def times_out() -> Trouble:
    """Do what was asked, and answer 504: "more than 30 seconds, probably processed" (docs.astria.ai)."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        await handler(request)
        return web.Response(status=504, text=_PAGE, content_type="text/html")

    return trouble
