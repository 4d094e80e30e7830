"""The service as an HTTP server: which path is whose, and what befalls a request on the way."""

import asyncio
from functools import partial

import aiohttp
from aiohttp import web

from standins.astria import callbacks, inspection, pictures, prompts, tunes
from standins.astria.answers import describe_pack
from standins.astria.requests import authenticate
from standins.astria.service import Refusal, Service, key_of
from standins.base.faults import Handler

_LARGEST_REQUEST = 128 * 1024 * 1024  # bytes
_DELIVERY = "/mp/"
_TUNE = r"/tunes/{tune:\d{1,18}}"
_PROMPT = r"{prompt:\d{1,18}}"
_JSON = r"{suffix:(?:\.json)?}"


class AstriaServer(Service):
    """Astria on this machine.

    It keeps one account, and answers as Astria does. What it is asked and what it was told to get wrong are at hand:
    `tunes`, `prompts`, `requests`, `balance_mc`; `quirks`, `faults`, `fail`.
    """

    def app(self) -> web.Application:
        """The server. Its pictures lie on it, too, unless there is a `delivery_origin`."""
        app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[self.receive])
        for method, path, handler in (
            ("POST", "/tunes", tunes.create),
            ("GET", "/tunes", tunes.listing),
            ("POST", r"/p/{pack:\d{1,9}}/tunes", tunes.create),
            ("GET", f"{_TUNE}{_JSON}", tunes.retrieve),
            ("PATCH", _TUNE, tunes.change),
            ("DELETE", _TUNE, tunes.delete),
            ("POST", f"{_TUNE}/prompts", prompts.create),
            ("GET", f"{_TUNE}/prompts", prompts.listing),
            ("GET", "/prompts", prompts.listing),
            ("GET", f"{_TUNE}/prompts/{_PROMPT}{_JSON}", prompts.retrieve),
            ("GET", f"/prompts/{_PROMPT}{_JSON}", prompts.retrieve),
            ("DELETE", f"{_TUNE}/prompts/{_PROMPT}", prompts.delete),
            ("DELETE", f"/prompts/{_PROMPT}", prompts.delete),
            ("POST", "/images/inspect", inspection.inspect),
            ("GET", "/packs", _packs),
            ("GET", "/gallery/packs", _packs),
            ("GET", "/users", _account),
            ("GET", _DELIVERY + "{key}", _picture),
        ):
            app.router.add_route(method, path, partial(handler, self))
        return app

    async def deliver_callbacks(self, origin: str = "") -> int:
        """Call back for everything that has ended; how many callbacks were taken.

        Called by whoever turns the clock; in the sandbox every second or so. `origin` is where this server can be
        reached, for the links in the callbacks, unless there is a delivery origin.
        """
        async with aiohttp.ClientSession() as session:
            return await callbacks.deliver(self, session, self.delivery_origin or origin)

    def name_kind(self, request: web.Request) -> str:
        """A training or an order is a `submit`, a look at one of them a `poll`; else `sample`, `credits` or `other`."""
        if request.path.startswith(_DELIVERY):
            return "sample"
        if request.path == "/users":
            return "credits"
        if request.method == "POST":
            return "submit" if request.path.endswith(("/tunes", "/prompts")) else "other"
        last = request.path.removesuffix(".json").rpartition("/")[2]
        return "poll" if request.method == "GET" and last.isdigit() else "other"

    async def answer(self, handler: Handler, request: web.Request) -> web.StreamResponse:
        try:
            if not request.path.startswith(_DELIVERY):
                authenticate(self, request)
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        except web.HTTPNotFound:
            return web.json_response({"status": 404, "error": "Not Found"}, status=404)


async def _packs(service: Service, _request: web.Request) -> web.Response:
    return web.json_response([describe_pack(pack) for pack in service.packs.values()])


async def _account(service: Service, _request: web.Request) -> web.Response:
    account = {"id": 1, "name": "Sandbox", "email": "sandbox@example.com", "usd_balance_mc": service.balance_mc}
    return web.json_response(account)


async def _picture(service: Service, request: web.Request) -> web.Response:
    """A picture that is not deleted; its link needs no key."""
    key = request.match_info["key"]
    for tune in service.newest_tunes():
        for place, mark in enumerate(tune.images):
            if key_of("tune", tune.id, place) == key and mark.startswith("sha256:"):
                return web.Response(body=service.archive.content(mark), content_type="image/jpeg")
    for prompt in service.newest_prompts():
        for index in range(prompt.num_images):
            if key_of("prompt", prompt.id, index) == key and service.clock() >= prompt.ends_at and not prompt.error:
                loras = [(tune, strength) for id_, strength in prompt.loras if (tune := service.tune(id_))]
                drawn = await asyncio.to_thread(
                    pictures.draw,
                    prompt,
                    index,
                    loras,
                    given=service.archive.content,
                    longest_side=service.picture_size,
                )
                return web.Response(body=drawn, content_type="image/jpeg")
    return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>", content_type="application/xml")
