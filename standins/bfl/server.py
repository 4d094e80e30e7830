"""The service as an HTTP server: which path is whose, and what befalls a request on the way."""

from functools import partial

import aiohttp
from aiohttp import web

from standins.base.faults import Handler
from standins.bfl import generation, results, training
from standins.bfl.service import Refusal, Region, Service

_LARGEST_REQUEST = 256 * 1024 * 1024  # bytes: eight pictures of 20 MB in base64
_KINDS: dict[str, str] = {"/v1/get_result": "poll", "/v1/credits": "credits", "/v1/finetune": "train"}


class BflServer(Service):
    """Black Forest Labs on this machine.

    It keeps the account, tasks and limits of one account, and answers as BFL does. What it is asked and what it was
    told to get wrong are at hand: `tasks`, `requests`, `peak_active`; `quirks`, `faults`, `finetunes`.
    """

    key_header = "x-key"

    def app(self, region: Region | None = None) -> web.Application:
        """The server, as one region's host (the service's own region, unless told).

        May be called several times, for hosts that share the account: another region, or the delivery host.
        """
        here = region or self.region
        app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[self.receive])
        for endpoint in self.endpoints.values():
            app.router.add_post(f"/v1/{endpoint.name}", partial(generation.submit, self, here, endpoint))
        app.router.add_get("/v1/get_result", partial(results.get_result, self, here))
        if self.era != 2025:
            app.router.add_get("/v1/credits", partial(results.get_credits, self, here))
        training.add_routes(self, here, app.router)
        app.router.add_get("/results/{name}/{file}", partial(results.get_sample, self, here))
        return app

    async def deliver_callbacks(self, origin: str = "") -> int:
        """Call back for every task with a webhook that has ended; how many callbacks were taken.

        Called by whoever turns the clock; in the sandbox every second or so. `origin` is where this server can be
        reached, for the links in the callbacks, unless there is a delivery origin.
        """
        async with aiohttp.ClientSession() as session:
            return await results.deliver_callbacks(self, session, self.delivery_origin or origin)

    def name_kind(self, request: web.Request) -> str:
        """`submit`, `train`, `poll`, `sample`, `credits` or `other`."""
        if request.path.startswith("/results/"):
            return "sample"
        if request.path in _KINDS:
            return _KINDS[request.path]
        return "submit" if request.method == "POST" and request.path.startswith("/v1/flux") else "other"

    async def answer(self, handler: Handler, request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            response = web.json_response({"detail": refusal.detail}, status=refusal.status)
            if refusal.retry_after is not None:
                response.headers["Retry-After"] = str(refusal.retry_after)
            return response
        except web.HTTPNotFound:
            return web.json_response({"detail": "Not Found"}, status=404)
        except web.HTTPMethodNotAllowed as error:
            allowed = {"Allow": ", ".join(sorted(error.allowed_methods))}
            return web.json_response({"detail": "Method Not Allowed"}, status=405, headers=allowed)
