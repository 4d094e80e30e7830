"""A node's JSON-RPC, spoken through bot.http.client: web3's own provider repeats by itself, transactions too.

What a node refuses is a `NodeRefusal`, with the node's words; what it cannot answer is Unavailable.
"""

import itertools
import logging
import re
from collections.abc import Collection
from typing import Any, cast

import aiohttp
from pydantic import JsonValue, SecretStr
from pydantic_core import from_json
from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse
from yarl import URL

from bot.errors import BotError, Broken, Unavailable
from bot.http.answers import clean
from bot.http.client import Failure, Http, Reply, Timeouts
from bot.http.hosts import Hosts
from bot.story.node.forms import check_form

log = logging.getLogger(__name__)

NAME = "The Story node"
TIMEOUTS = Timeouts(connect=5, idle=15, total=20)  # seconds
SHORTEST_KEY = 6  # characters
NO_HOST = re.compile(r"(?!)")


class Unusable(Broken):
    """The node cannot be used as it is set up: a wrong key or address, another network. It says nothing of the call."""


class NodeRefusal(Exception):
    """The node understood the question and said no. Its code means something else at each make of node."""

    def __init__(self, error: JsonValue, *, secrets: Collection[str] = ()) -> None:
        fields = error if isinstance(error, dict) else {}
        message = str(fields.get("message", "" if fields else error) or "it does not say why")
        for secret in secrets:
            message = message.replace(secret, "[key]")
        self.reason = clean(message)
        self.code = fields.get("code")
        self.data = _error_data(error)
        super().__init__(self.reason)

    def says(self, *phrases: str) -> bool:
        """Whether one of these (in lower case) is in its words."""
        text = self.reason.lower()
        return any(phrase in text for phrase in phrases)


class _Answer(Reply):
    id: JsonValue = None
    result: JsonValue = None
    error: JsonValue = None


class _ErrorAnswer(Unavailable):
    """An error of JSON-RPC that came with a status of HTTP that is no success."""

    def __init__(self, error: JsonValue) -> None:
        super().__init__(f"{NAME} turned a question down.")
        self.error = error


class Node(AsyncBaseProvider):
    """One node. Its address may carry a key, in its path or query, and appears in no log or error.

    Raises (when made):
        ValueError: the address is none that may be called.
    """

    global_ccip_read_enabled = False  # EIP-3668: a contract could have us call any address on the web

    def __init__(self, session: aiohttp.ClientSession, address: SecretStr, *, timeouts: Timeouts = TIMEOUTS) -> None:
        super().__init__()
        hosts = _hosts(address)
        self._address = address
        self._secrets = _secrets_in(address)
        self._numbers = itertools.count(1)
        self._http = Http(session, name=NAME, hosts=hosts, explain=_explain, timeouts=timeouts, secret_address=True)

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Ask once.

        Raises:
            NodeRefusal: it answered with an error.
            Unavailable: no answer, or none that is one to this question.
            Unusable: the node turns this bot away, or there is none at its address.
        """
        number = next(self._numbers)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params or [])}
        try:
            answer = await self._http.post(self._address.get_secret_value(), body, reply=_Answer, pays=False)
        except _ErrorAnswer as error:
            raise NodeRefusal(error.error, secrets=self._secrets) from None
        except Unusable:
            raise
        except Broken as error:
            if error.__cause__ is not None:  # JSON of another form: something in between
                raise Unavailable(f"{NAME} answered in a way that cannot be read.") from None
            raise Unusable(str(error)) from None
        if answer.error is not None:
            raise NodeRefusal(answer.error, secrets=self._secrets)
        if "result" not in answer.model_fields_set or answer.id != number:
            raise Unavailable(f"{NAME} did not answer what it was asked.")
        try:
            check_form(method, answer.result)
        except ValueError as error:
            log.warning("An answer of the node has not its form: %s", error)
            raise Unavailable(f"{NAME} answers in a form that this bot does not know.") from None
        return cast("RPCResponse", {"jsonrpc": "2.0", "id": number, "result": answer.result})

    async def is_connected(self, show_traceback: bool = False) -> bool:
        try:
            await self.make_request(RPCEndpoint("eth_chainId"), [])
        except (BotError, NodeRefusal):
            return False
        return True

    def __repr__(self) -> str:
        return f"<{NAME}>"


def _hosts(address: SecretStr) -> Hosts:
    sentence = "RPC_PROVIDER_URL must be an address such as https://aeneid.storyrpc.io, with http on this machine only"
    try:
        url = URL(address.get_secret_value())
        hosts = Hosts(NO_HOST, (str(url.origin()),))
    except ValueError:
        raise ValueError(sentence) from None
    if hosts.admit(address.get_secret_value()) is None:
        raise ValueError(sentence)
    return hosts


def _secrets_in(address: SecretStr) -> tuple[str, ...]:
    """What may be a key in the node's address, the longest first: nodes repeat it in their errors."""
    url = URL(address.get_secret_value(), encoded=True)
    pieces = {*url.raw_parts, *url.query.values()}
    return tuple(sorted((piece for piece in pieces if len(piece) >= SHORTEST_KEY), key=len, reverse=True))


def _explain(failure: Failure) -> BotError | None:
    if failure.status not in {401, 403, 429, 503} and (error := _error_in(failure.body)) is not None:
        return _ErrorAnswer(error)
    match failure.status:
        case 401 | 403:
            return Unusable(f"{NAME} does not let this bot in ({failure.status}). Look at RPC_PROVIDER_URL.")
        case 404 | 405 | 410:
            return Unusable(f"There is no Story node at RPC_PROVIDER_URL ({failure.status}).")
        case 400 | 413 | 422:
            return Unavailable(
                f"{NAME} turned a question down ({failure.status}): {failure.reason or 'no reason given'}"
            )
        case _:
            return None


def _error_in(body: bytes) -> JsonValue:
    """The error of JSON-RPC in a body; None where there is none.

    Nodes and the proxies before them send it with 400, 404 or 500 as well as with 200: JSON-RPC says nothing of HTTP.
    """
    try:
        answer: JsonValue = from_json(body)
    except ValueError:
        return None
    error = answer.get("error") if isinstance(answer, dict) and "jsonrpc" in answer else None
    return error if isinstance(error, dict) and ("code" in error or "message" in error) else None


def _error_data(error: JsonValue) -> str | None:
    """The bytes with which a contract refused, wherever a node puts them."""
    for _ in range(4):
        if not isinstance(error, dict):
            break
        detail = next(
            (error[name] for name in ("data", "originalError", "result") if error.get(name) is not None), None
        )
        if isinstance(detail, str):
            hexes = re.search(r"0x[0-9a-fA-F]*", detail)
            return hexes[0] if hexes else None
        error = detail
    return None
