"""The service as an HTTP server: which path is whose, and what befalls a request on the way."""

import asyncio

from aiohttp import web

from bot.errors import Refused
from bot.pinning.cid import parse
from standins.base.faults import Handler
from standins.pinata import api
from standins.pinata.service import Refusal, Service, TooMany


class PinataServer(Service):
    """Pinata on this machine: uploads, API and gateway on one origin.

    What it holds, what it was asked and what it was told to get wrong are at hand: `files`, `requests`, `forms`;
    `keys`, `quirks`, `faults`.
    """

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.receive])
        api.add_routes(self, app.router)
        app.router.add_get("/ipfs/{cid}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        """The gateway: the bytes of a public file; no key is needed."""
        try:
            cid = parse(request.match_info["cid"])
        except Refused:
            return web.Response(status=400, text="invalid path: not a CID")
        file = next((file for file in self.pinned(cid) if self.is_visible(file)), None)
        if file is None:
            if self.quirks.restricted:
                details = "The owner of this gateway does not have this content pinned to their Pinata account"
                return web.Response(status=403, text=f"ERR_ID:00006\n{details}")
            return web.Response(status=404, text="ipfs resolve: no providers were found for the CID")
        if file.media_type.startswith("text/html"):
            return web.Response(status=403, text="HTML content cannot be served through this gateway")
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "public, max-age=29030400, immutable",
            "Content-Type": file.media_type,
            "ETag": f'"{file.cid}"',
            "X-Content-Type-Options": "nosniff",
            "X-Ipfs-Path": request.path,
        }
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers={"ETag": headers["ETag"]})
        return web.Response(body=await asyncio.to_thread(self.archive.content, file.content), headers=headers)

    def name_kind(self, request: web.Request) -> str:
        """`upload`, `pin`, `look`, `delete`, `unpin`, `gateway` or `other`."""
        path = request.path
        if path.startswith("/ipfs/"):
            return "gateway"
        if path.startswith("/pinning/"):
            return "pin" if request.method == "POST" else "unpin"
        if path.startswith("/v3/files"):
            return {"POST": "upload", "DELETE": "delete"}.get(request.method, "look")
        return "other"

    async def answer(self, handler: Handler, request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except TooMany as error:
            return error.response
        except Refusal as refusal:
            if request.path.startswith("/v3/"):
                body = {"error": {"code": refusal.status, "message": refusal.details}}
            else:
                body = {"error": {"reason": refusal.reason, "details": refusal.details}}
            return web.json_response(body, status=refusal.status)
        except web.HTTPNotFound:
            return web.Response(status=404, text="404 page not found")
        except web.HTTPMethodNotAllowed as error:
            allowed = {"Allow": ", ".join(sorted(error.allowed_methods))}
            return web.Response(status=405, text="Method Not Allowed", headers=allowed)
