"""Both generations of the API: `/v3/files`, and `/pinning` with `/data`."""

import json
from datetime import UTC, datetime
from typing import Any, cast

from aiohttp import web

from bot.errors import Refused
from bot.pinning.cid import Cid, parse
from standins.pinata.forms import Sent, read_form
from standins.pinata.records import File, Network
from standins.pinata.service import Refusal, Service

_VERSIONS = {"v0": "v0", "v1": "v1", "": "v1"}


def add_routes(service: Service, router: web.UrlDispatcher) -> None:
    api = _Api(service)
    router.add_post("/v3/files", api.upload)
    router.add_get("/v3/files/{network:public|private}", api.list_files)
    router.add_get("/v3/files/{network:public|private}/{id}", api.get_file)
    router.add_delete("/v3/files/{network:public|private}/{id}", api.delete_file)
    router.add_post("/pinning/pinFileToIPFS", api.pin_file)
    router.add_delete("/pinning/unpin/{cid}", api.unpin)
    router.add_get("/data/testAuthentication", api.test_authentication)
    router.add_get("/data/pinList", api.pin_list)


class _Api:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def upload(self, request: web.Request) -> web.Response:
        self._service.authorize(request.headers.get("Authorization"), "org:files:write")
        form, sent = await self._read_form(request)
        network: Network = "public" if form.get("network") == "public" else "private"
        version = _VERSIONS.get(form.get("cid_version", ""))
        if version is None:
            raise Refusal(400, "BAD_REQUEST", "cid_version must be v0 or v1")
        file, duplicate = await self._service.keep(
            sent.content,
            name=form.get("name") or sent.name,
            media_type=sent.media_type,
            network=network,
            profile="v0" if version == "v0" else "v1",
        )
        described = self._describe(file)
        if self._service.quirks.private == "untold":
            described["network"] = network
        return web.json_response({"data": {**described, "is_duplicate": duplicate}})

    async def list_files(self, request: web.Request) -> web.Response:
        self._service.authorize(request.headers.get("Authorization"), "org:files:read")
        asked = request.query
        matching = [file for file in self._service.files if file.network == request.match_info["network"]]
        if "cid" in asked:
            matching = [file for file in matching if file.cid == asked["cid"] and self._service.is_named(file)]
        if "name" in asked:
            matching = [file for file in matching if file.name == asked["name"]]
        if asked.get("cidPending") == "true":
            matching = [file for file in matching if not self._service.is_named(file)]
        limit = int(asked.get("limit", "10"))
        files = [self._describe(file) for file in matching[:limit]]
        return web.json_response({"data": {"files": files, "next_page_token": ""}})

    async def get_file(self, request: web.Request) -> web.Response:
        self._service.authorize(request.headers.get("Authorization"), "org:files:read")
        return web.json_response({"data": self._describe(self._find_file(request))})

    async def delete_file(self, request: web.Request) -> web.Response:
        self._service.authorize(request.headers.get("Authorization"), "org:files:write")
        self._service.forget(self._find_file(request))
        return web.json_response({"data": None})

    async def pin_file(self, request: web.Request) -> web.Response:
        self._service.authorize(request.headers.get("Authorization"), "pinFileToIPFS")
        form, sent = await self._read_form(request)
        options, metadata = _read_json(form, "pinataOptions"), _read_json(form, "pinataMetadata")
        if options.get("cidVersion", 1) not in {0, 1}:
            raise Refusal(400, "INVALID_CID_VERSION", "cidVersion must be 0 or 1")
        file, duplicate = await self._service.keep(
            sent.content,
            name=str(metadata.get("name") or sent.name),
            media_type=sent.media_type,
            network="public",
            profile="v0" if options.get("cidVersion") == 0 else "v1",
        )
        answer: dict[str, Any] = {"IpfsHash": file.cid, "PinSize": file.size, "Timestamp": _write_time(file.created)}
        return web.json_response(answer | {"isDuplicate": True} if duplicate else answer)

    async def unpin(self, request: web.Request) -> web.Response:
        self._service.authorize(request.headers.get("Authorization"), "unpin")
        cid = request.match_info["cid"]
        pinned = self._service.pinned(_parse_cid(cid))
        if not pinned:
            details = f"The current user has not pinned the cid: {cid}"
            raise Refusal(400, "CURRENT_USER_HAS_NOT_PINNED_CID", details)
        for file in pinned:
            self._service.forget(file)
        return web.Response(text="OK")

    async def test_authentication(self, request: web.Request) -> web.Response:
        self._service.authorize(request.headers.get("Authorization"))
        return web.json_response({"message": "Congratulations! You are communicating with the Pinata API!"})

    async def pin_list(self, request: web.Request) -> web.Response:
        self._service.authorize(request.headers.get("Authorization"), "pinList")
        wanted = request.query.get("hashContains") or request.query.get("cid") or ""
        matching = [file for file in self._service.files if file.network == "public" and wanted in file.cid]
        rows = [
            {
                "id": file.id,
                "ipfs_pin_hash": file.cid,
                "size": file.size,
                "date_pinned": _write_time(file.created),
                "date_unpinned": None,
                "metadata": {"name": file.name, "keyvalues": None},
                "mime_type": file.media_type,
                "number_of_files": 1,
            }
            for file in matching
        ]
        return web.json_response({"count": len(rows), "rows": rows})

    async def _read_form(self, request: web.Request) -> tuple[dict[str, str], Sent]:
        fields, sent = await read_form(request)
        if sent is None:
            raise Refusal(400, "BAD_REQUEST", "no file in the form")
        self._service.forms.append(fields)
        return fields, sent

    def _find_file(self, request: web.Request) -> File:
        file = self._service.file(request.match_info["network"], request.match_info["id"])
        if file is None:
            raise Refusal(404, "NOT_FOUND", "file not found")
        return file

    def _describe(self, file: File) -> dict[str, Any]:
        unnamed = None if self._service.quirks.pending_as == "null" else "pending"
        return {
            "id": file.id,
            "name": file.name,
            "cid": file.cid if self._service.is_named(file) else unnamed,
            "created_at": _write_time(file.created),
            "size": file.size,
            "number_of_files": 1,
            "mime_type": file.media_type,
            "user_id": "2dd3c6bf-b1ae-4bd4-a3f0-0a9e3b7a4d0c",
            "group_id": None,
            "network": file.network,
            "keyvalues": {},
            "vectorized": False,
        }


def _read_json(form: dict[str, str], name: str) -> dict[str, Any]:
    try:
        value = json.loads(form.get(name, "{}"))
    except ValueError as error:
        raise Refusal(400, "BAD_REQUEST", f"{name} is no JSON") from error
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _parse_cid(text: str) -> Cid:
    try:
        return parse(text)
    except Refused as error:
        raise Refusal(400, "INVALID_CID", "Invalid CID") from error


def _write_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
