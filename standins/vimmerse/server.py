"""The service as an HTTP server: which path is whose, and what befalls a request on the way."""

from functools import partial

import aiohttp
from aiohttp import web

from standins.base.faults import Handler
from standins.vimmerse import orders, results
from standins.vimmerse.service import CUSTOMER, Refusal, Service

_LARGEST_REQUEST = 256 * 1024 * 1024  # bytes


class VimmerseServer(Service):
    """Vimmerse on this machine.

    It keeps one account, and answers as Vimmerse's document says. What it was asked and what it was told to get wrong
    are at hand: `assets`, `trainings`, `requests`; `quirks`, `faults`, `end`.
    """

    key_header = "X-Api-Key"

    def app(self) -> web.Application:
        """The server; its own host delivers the pictures, too, unless there is a media origin."""
        app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[self.receive])
        app.router.add_post("/finetune", partial(orders.train, self))
        app.router.add_post("/image/text-2-image", partial(orders.draw, self))
        app.router.add_post("/image/image-2-image", partial(orders.edit, self))
        app.router.add_get("/finetune/{trigger_word}", partial(results.get_finetune, self))
        app.router.add_get("/asset/{asset_id}", partial(results.get_asset, self))
        app.router.add_get("/health", results.get_health)
        app.router.add_get(f"/{CUSTOMER}/ai_images/{{asset_id}}/{{file}}", partial(results.get_picture, self))
        return app

    async def deliver_callbacks(self) -> int:
        """Call back for everything with a webhook that has ended; how many callbacks were taken.

        Called by whoever turns the clock; in the sandbox every second or so.
        """
        async with aiohttp.ClientSession() as session:
            return await results.deliver_callbacks(self, session)

    def name_kind(self, request: web.Request) -> str:
        """`submit`, `poll`, `sample` or `other`."""
        if request.path.startswith(f"/{CUSTOMER}/"):
            return "sample"
        if request.method == "POST":
            return "submit"
        return "poll" if request.path.startswith(("/finetune/", "/asset/")) else "other"

    async def answer(self, handler: Handler, request: web.Request) -> web.StreamResponse:
        try:
            if self.name_kind(request) in {"submit", "poll"} and request.headers.get(self.key_header) not in self.keys:
                raise Refusal(401, "UNAUTHORIZED")
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        except web.HTTPNotFound:
            return web.json_response({"detail": "Not Found"}, status=404)
        except web.HTTPMethodNotAllowed as error:
            allowed = {"Allow": ", ".join(sorted(error.allowed_methods))}
            return web.json_response({"detail": "Method Not Allowed"}, status=405, headers=allowed)
