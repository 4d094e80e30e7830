"""Reading IP assets from the chain: their licence terms, their parents, and whether they are what was meant."""

from collections.abc import Awaitable
from typing import Any

from bot.errors import BotError, Refused, Unavailable
from bot.story.licences import PILTerms, sentence_of_terms, terms_of
from bot.story.mints import Check, Mint, Parent, Registered
from bot.story.node import contracts
from bot.story.node.chain import Chain, together
from bot.story.node.values import Address, Hash, checksummed, trim_text

MOST_TERMS = 20
"""Licence terms, or parents, of one IP asset that are looked at; the protocol lets it have 16 parents."""

Terms = tuple[Address, int, PILTerms | None]
"""Template, id, and the values where the template is the PIL."""


class Reading:
    """Questions about IP assets."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def default_terms(self) -> PILTerms | None:
        """What Story attaches by default; None where that is no PIL."""
        template, terms_id = await self._chain.read(contracts.LICENSE_REGISTRY, contracts.DEFAULT_TERMS)
        return await self._values(int(terms_id)) if checksummed(template) == contracts.LICENSE_TEMPLATE else None

    async def is_registered(self, ip_id: Address) -> bool:
        return bool((await self._chain.read(contracts.IP_ASSET_REGISTRY, contracts.IS_REGISTERED, ip_id))[0])

    async def terms_of(self, ip_id: Address) -> tuple[Terms, ...]:
        """The licence terms that are attached to an IP asset, in their order."""
        count = (await self._chain.read(contracts.LICENSE_REGISTRY, contracts.ATTACHED_TERMS_COUNT, ip_id))[0]
        attached = await together(
            *(
                self._chain.read(contracts.LICENSE_REGISTRY, contracts.ATTACHED_TERMS, ip_id, place)
                for place in range(min(int(count), MOST_TERMS))
            )
        )
        return tuple([await self._terms(checksummed(template), int(number)) for template, number in attached])

    async def parents_of(self, ip_id: Address) -> tuple[Address, ...]:
        """The IP assets that one is registered as a derivative of."""
        count = (await self._chain.read(contracts.LICENSE_REGISTRY, contracts.PARENT_IP_COUNT, ip_id))[0]
        answers = await together(
            *(
                self._chain.read(contracts.LICENSE_REGISTRY, contracts.PARENT_IP, ip_id, place)
                for place in range(min(int(count), MOST_TERMS))
            )
        )
        return tuple(checksummed(each[0]) for each in answers)

    async def parent(self, ip_id: Address) -> Parent:
        """An IP asset as the parent of a derivative, under the terms that ask least.

        Raises:
            Refused: it is no IP asset, has no licence, allows no derivatives or each only after asking, or wants a fee.
        """
        if not await self.is_registered(ip_id):
            raise Refused(f"{ip_id} is not registered on Story, so nothing can be registered as its derivative.")
        attached = [(number, terms) for _, number, terms in await self.terms_of(ip_id) if terms is not None]
        if not attached:
            raise Refused("That image was registered without a licence: nothing can be registered as its derivative.")
        allowed = [(number, terms) for number, terms in attached if terms.derivatives_allowed]
        if not allowed:
            raise Refused("That image's licence allows no derivatives.")
        free = [(number, terms) for number, terms in allowed if not terms.default_minting_fee]
        if not free:
            raise Refused("That image's licence costs a fee for each derivative, which the bot does not pay.")
        at_once = [(number, terms) for number, terms in free if not terms.derivatives_approval]
        if not at_once:
            raise Refused("That image's owner has to approve of each derivative first, on Story.")
        number, terms = min(at_once, key=lambda each: (each[1].commercial_rev_share, each[0]))
        return Parent(ip_id=ip_id, terms_id=number, share=terms.commercial_rev_share)

    async def compare(self, mint: Mint, registered: Registered, *, collection: Address) -> tuple[Check, ...]:
        """Each fact on the chain beside what was meant.

        Raises:
            Unavailable: the node does not answer.
        """
        ip_id, token_id = registered.ip_id, registered.token_id
        view = contracts.CORE_METADATA_VIEW
        is_registered, owner, uri, digest, token_uri, nft_digest = await together(
            self._value(self.is_registered(ip_id)),
            self._first(collection, contracts.OWNER_OF, token_id),
            self._first(view, contracts.METADATA_URI, ip_id),
            self._first(view, contracts.METADATA_HASH, ip_id),
            self._first(collection, contracts.TOKEN_URI, token_id),
            self._first(view, contracts.NFT_METADATA_HASH, ip_id),
        )
        right_id = contracts.ip_id_of(self._chain.network.chain_id, collection, token_id) == ip_id
        return (
            _check("registered", is_registered is True and right_id, "It is an IP asset", "It is no IP asset"),
            _same("owner", owner and checksummed(owner), mint.recipient),
            _same("metadata address", uri, mint.ip_metadata_uri),
            _same("metadata hash", _hex(digest), mint.ip_metadata_hash),
            _same("NFT metadata address", token_uri, mint.nft_metadata_uri),
            _same("NFT metadata hash", _hex(nft_digest), mint.nft_metadata_hash),
            await self._licence(mint, ip_id),
            await self._parents(mint, ip_id),
        )

    async def _licence(self, mint: Mint, ip_id: Address) -> Check:
        attached = await self._value(self.terms_of(ip_id))
        if attached is None:
            return Check("licence", good=False, sentence="Its licence terms cannot be read.")
        if mint.parents:  # a derivative carries its parents' terms
            return _same("licence", {number for _, number, _ in attached}, {each.terms_id for each in mint.parents})
        meant = terms_of(mint.licence)
        values = [terms for _, _, terms in attached]
        if values != ([] if meant is None else [meant]):
            sentences = " ".join(sentence_of_terms(each) if each else "Terms of another kind." for each in values)
            return Check(
                "licence", good=False, sentence=f"Its licence is not the one that was meant: {sentences or 'none.'}"
            )
        return Check("licence", good=True, sentence=f"Its licence is “{mint.licence.label}”.")

    async def _parents(self, mint: Mint, ip_id: Address) -> Check:
        parents = await self._value(self.parents_of(ip_id))
        return _same("parents", None if parents is None else set(parents), {parent.ip_id for parent in mint.parents})

    async def _terms(self, template: Address, number: int) -> Terms:
        values = await self._values(number) if template == contracts.LICENSE_TEMPLATE else None
        return template, number, values

    async def _values(self, number: int) -> PILTerms:
        values = (await self._chain.read(contracts.LICENSE_TEMPLATE, contracts.LICENSE_TERMS, number))[0]
        terms = PILTerms(*values)
        return terms._replace(
            royalty_policy=checksummed(terms.royalty_policy),
            commercializer_checker=checksummed(terms.commercializer_checker),
            currency=checksummed(terms.currency),
        )

    async def _first(self, to: Address, function: contracts.Function, *arguments: object) -> Any:
        values = await self._value(self._chain.read(to, function, *arguments))
        return values[0] if values is not None else None

    async def _value(self, question: Awaitable[Any]) -> Any:
        """An answer, or None where a contract refuses one (there is no such token or IP asset)."""
        try:
            return await question
        except Unavailable:
            raise
        except BotError:
            return None


def _hex(digest: bytes | None) -> Hash | None:
    return None if digest is None else Hash("0x" + digest.hex())


def _same(name: str, actual: object, meant: object) -> Check:
    is_, its = ("are", "parents") if name == "parents" else ("is", name)
    badly = f"Its {its} {is_} {_text_of(actual)}, not {_text_of(meant)}"
    return _check(name, actual == meant, f"Its {its} {is_} right", badly)


def _text_of(value: object) -> str:
    if isinstance(value, set):
        return ", ".join(sorted(map(str, value))) or "none"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return "unknown" if value is None else trim_text(str(value))


def _check(name: str, good: bool, well: str, badly: str) -> Check:
    return Check(name, good, f"{well if good else badly}.")
