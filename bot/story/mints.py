"""What is to be registered, and the one call that mints, registers and licenses it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from bot.story.licences import Licence, LicenceKey, PILTerms, terms_of
from bot.story.node import contracts
from bot.story.node.chain import Call
from bot.story.node.values import NOBODY, Address, Hash, Wei, bytes_of, checksummed
from bot.values import Frozen

ALL_TOKENS = 100_000_000
"""The most royalty tokens that a derivative may be asked for: 100 %."""


class Parent(Frozen):
    """A registered IP asset, and those of its licence terms under which a derivative of it is made."""

    ip_id: Annotated[Address, AfterValidator(checksummed)]
    terms_id: int
    template: Address = contracts.LICENSE_TEMPLATE
    share: int = 0
    """Of what the derivative earns, in millionths of a percent."""


class Mint(Frozen):
    """All that the transaction says. With parents, their licence is the derivative's, and `licence` says nothing."""

    recipient: Annotated[Address, AfterValidator(checksummed)]
    ip_metadata_uri: str
    ip_metadata_hash: Hash
    nft_metadata_uri: str
    nft_metadata_hash: Hash
    licence: Licence
    parents: tuple[Parent, ...] = ()


class Registered(Frozen):
    """An IP asset of ours. What is None the chain would not tell (an old one, found by its metadata)."""

    ip_id: Address
    token_id: int
    tx_hash: Hash | None = None
    block: int | None = None
    block_hash: Hash | None = None
    terms_ids: tuple[int, ...] = ()
    gas_used: int | None = None
    paid: Wei | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `sentence` says what was found, and where it is not good, what to do."""

    name: str
    good: bool
    sentence: str


def call_for(mint: Mint, collection: Address, *, default_terms: PILTerms | None) -> Call:
    """The call that registers it. `allowDuplicates` is always False: it is the chain's own lock against a second token.

    `default_terms` are those that Story attaches by default. A licence that equals them needs no terms in the call.
    """
    metadata = (
        mint.ip_metadata_uri,
        bytes_of(mint.ip_metadata_hash),
        mint.nft_metadata_uri,
        bytes_of(mint.nft_metadata_hash),
    )
    if mint.parents:
        data = contracts.MINT_DERIVATIVE.encode(collection, _derivation(mint.parents), metadata, mint.recipient, False)
        return Call(to=contracts.DERIVATIVE_WORKFLOWS, data=data)
    terms = terms_of(mint.licence)
    if terms is None:
        data = contracts.MINT.encode(collection, mint.recipient, metadata, False)
        return Call(to=contracts.REGISTRATION_WORKFLOWS, data=data)
    if mint.licence.key is LicenceKey.NON_COMMERCIAL and terms == default_terms:
        data = contracts.MINT_WITH_DEFAULT_TERMS.encode(collection, mint.recipient, metadata, False)
        return Call(to=contracts.LICENSE_ATTACHMENT_WORKFLOWS, data=data)
    no_config = (False, 0, NOBODY, b"", 0, False, 0, NOBODY)
    data = contracts.MINT_WITH_TERMS.encode(collection, mint.recipient, metadata, [(terms, no_config)], False)
    return Call(to=contracts.LICENSE_ATTACHMENT_WORKFLOWS, data=data)


def _derivation(parents: tuple[Parent, ...]) -> tuple[object, ...]:
    """Whose derivative it is. The limits are just above what was agreed to, for 0 would mean that there are none."""
    return (
        [parent.ip_id for parent in parents],
        parents[0].template,
        [parent.terms_id for parent in parents],
        b"",
        1,  # wei: the bot pays no fee for a licence
        ALL_TOKENS,
        max(1, *(parent.share for parent in parents)),
    )
