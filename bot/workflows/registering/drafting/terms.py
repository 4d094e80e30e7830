"""Makes of a member's draft the terms that would be submitted: recipient, licence, parents, what becomes public."""

from dataclasses import dataclass

from bot.errors import Broken, Refused, Unavailable
from bot.providers import catalogue, trainers
from bot.providers.trainer_entries import LABELS
from bot.providers.training import FinetuneSpec
from bot.story import metadata
from bot.story.licences import Licence
from bot.story.metadata import Content, Creator, Generation, ParentLink
from bot.story.node.networks import Network
from bot.story.node.rpc import Unusable
from bot.story.node.values import Address, Hash
from bot.story.registrar import Mint, Parent
from bot.workflows.base.kit import Kit
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.registering.publishing import Publishing
from bot.workflows.registering.types import Details, DraftView, Picture, Terms
from storage.base import jobs
from storage.community import communities
from storage.database import Connection
from storage.drawing import images
from storage.drawing.images import Image
from storage.finetuning import finetunes, training_images
from storage.registering import registrations, wallets
from storage.registering.registrations import Registration
from storage.registering.transitions import RegistrationState


@dataclass(frozen=True)
class _Sources:
    """The rows that the terms of an image are made from."""

    image: Image
    request: ImageRequest
    picture: Picture
    training_set: str | None
    wallet: str | None
    community_wallet: str | None
    parent: Registration | None


class Drafts:
    """Reads drafts with what would be submitted."""

    def __init__(
        self, kit: Kit, *, publishing: Publishing | None, network: Network, missing: tuple[str, ...] = ()
    ) -> None:
        """`publishing` is None where registration is not set up; `missing` names the settings that it lacks."""
        self._work = kit.work
        self._publishing = publishing
        self.network = network
        self._missing = missing

    def check_offered(self) -> None:
        """
        Raises:
            Refused: images cannot be registered here; the sentence tells the admin what to set.
        """
        if self._publishing is None:
            names = ", ".join(self._missing)
            raise Refused(f"This bot is not set up to register images on Story. Its admin has to set: {names}.")

    async def view(self, draft: Registration) -> DraftView:
        """A draft with what would be submitted.

        Raises:
            Refused: registration is not set up, or the picture is gone.
        """
        self.check_offered()
        async with self._work.read() as db:
            sources = await self._load_sources(db, draft)
        details = Details.model_validate_json(draft.details)
        parent, refusal, terms, missing = None, None, None, None
        try:
            if sources.parent is not None and details.derivative:
                parent, refusal = await self._ask_about_parent(sources.parent)
            terms = self._make_terms(draft, details, sources, (parent,) if parent else ())
        except Refused as error:
            missing = str(error)
        except Unavailable as error:
            missing = f"The chain has to be asked about the picture that this was made from. {error} Look again soon."
        return DraftView(
            registration=draft,
            details=details,
            image=sources.image,
            request=sources.request,
            network=self.network,
            terms=terms,
            missing=missing,
            parent=sources.parent,
            parent_refusal=refusal,
            wallet=sources.wallet,
        )

    async def try_out(self, terms: Terms) -> None:
        """Ask the chain whether it would take this. Where it does not answer, the registration's job asks again.

        Raises:
            Refused, Broken: the chain would not take it.
        """
        assert self._publishing, "it is offered"
        try:
            await self._publishing.registrar.dry_run(rehearsal(terms))
        except (Unavailable, Unusable):
            return

    async def _ask_about_parent(self, parent: Registration) -> tuple[Parent | None, str | None]:
        """The parent, or why it cannot be one."""
        assert self._publishing, "it is offered"
        assert parent.ip_id, "it is confirmed"
        try:
            return await self._publishing.registrar.parent_of(Address(parent.ip_id)), None
        except (Refused, Broken) as error:
            return None, str(error)

    def _make_terms(
        self, draft: Registration, details: Details, sources: _Sources, parents: tuple[Parent, ...]
    ) -> Terms:
        """What would be submitted.

        Raises:
            Refused: something is missing, or a value is not allowed.
        """
        assert self._publishing, "it is offered"
        if not details.title:
            raise Refused("A title is missing: press “Edit text”.")
        recipient, why = _choose_recipient(details, sources)
        request, picture = sources.request, sources.picture
        creators, description = _credit(details, sources.wallet)
        strength = request.parameters.get("finetune_strength")
        content = Content(
            registration_id=draft.id,
            title=details.title,
            description=description,
            created_at=sources.image.created_at,
            sha256=draft.sha256,
            media_type=sources.image.media_type,
            creators=creators,
            tags=details.tags,
            generation=Generation(
                provider=LABELS[catalogue.find(request.model).provider],
                model=picture.model,
                prompt=request.prompt if details.public_prompt and request.prompt.strip() else None,
                seed=sources.image.seed,
                finetune=request.finetune_name,
                finetune_strength=float(strength) if isinstance(strength, int | float) else None,
                training_set=sources.training_set,
            ),
            parents=tuple(ParentLink(ip_id=parent.ip_id) for parent in parents),
        )
        return Terms(
            network=self.network.key,
            chain_id=self.network.chain_id,
            collection=self._publishing.collection,
            gateway=self._publishing.gateway,
            recipient=recipient,
            recipient_from=why,
            licence=_licence_of(details, sources) if parents else details.licence,
            parents=parents,
            content=content,
            picture=picture,
            sha256=draft.sha256,
        )

    async def _load_sources(self, db: Connection, draft: Registration) -> _Sources:
        image = await images.find(db, draft.image_id)
        job = await jobs.find(db, image.job_id) if image else None
        if image is None or image.deleted_at is not None or job is None:
            raise Refused("This picture is not there any more.")
        request = ImageRequest.model_validate_json(job.request)
        wallet = await wallets.find(db, draft.owner_id)
        community = await communities.find(db, draft.guild_id)
        finetune = await finetunes.find(db, request.finetune) if request.finetune else None
        pictures = await training_images.of_finetune(db, finetune.id) if finetune else []
        trainer = trainers.find(FinetuneSpec.model_validate_json(finetune.spec).trainer).label if finetune else None
        picture = Picture(
            prompt=request.prompt,
            model=catalogue.find(request.model).label,
            seed=str(image.seed) if image.seed is not None else None,
            finetune=request.finetune_name,
            trained_by=finetune.owner_id if finetune else None,
            trainer=trainer,
            training_pictures=len(pictures),
            contributors=tuple(dict.fromkeys(each.contributor_id for each in pictures)),
            media_type=image.media_type,
            width=image.width,
            height=image.height,
            bytes=image.bytes,
            made_from=image.parent_image_id,
        )
        return _Sources(
            image=image,
            request=request,
            picture=picture,
            training_set=finetune.training_set if finetune else None,
            wallet=wallet.address if wallet else None,
            community_wallet=community.wallet,
            parent=await self._find_parent(db, image),
        )

    async def _find_parent(self, db: Connection, image: Image) -> Registration | None:
        """The registered image that this one edits or varies, on this network."""
        made_from = await images.find(db, image.parent_image_id) if image.parent_image_id else None
        if made_from is None:
            return None
        confirmed = await registrations.with_bytes(db, made_from.sha256, states=[RegistrationState.CONFIRMED])
        for registration in confirmed:
            terms = Terms.model_validate_json(registration.terms) if registration.terms else None
            if registration.ip_id and terms and terms.chain_id == self.network.chain_id:
                return registration
        return None


def rehearsal(terms: Terms) -> Mint:
    """The mint with made-up links and hashes: the real ones are known when the files are pinned."""
    link = "https://ipfs.io/ipfs/bafkrei" + "a" * 52
    return Mint(
        recipient=Address(terms.recipient),
        ip_metadata_uri=link,
        ip_metadata_hash=metadata.hash_of(f"ip {terms.digest}".encode()),
        nft_metadata_uri=link,
        nft_metadata_hash=metadata.hash_of(f"nft {terms.digest}".encode()),
        licence=terms.licence,
        parents=terms.parents,
    )


def mint_of(registration: Registration, terms: Terms) -> Mint:
    """The mint of what is pinned. It depends on these two rows alone, not on the settings of the moment."""
    assert registration.ip_metadata, "it is pinned"
    assert registration.nft_metadata, "it is pinned"
    assert registration.ip_cid, "it is pinned"
    assert registration.nft_cid, "it is pinned"
    return rehearsal(terms).model_copy(
        update={
            "ip_metadata_uri": terms.link(registration.ip_cid),
            "ip_metadata_hash": Hash(f"0x{registration.ip_metadata}"),
            "nft_metadata_uri": terms.link(registration.nft_cid),
            "nft_metadata_hash": Hash(f"0x{registration.nft_metadata}"),
        }
    )


def _licence_of(details: Details, sources: _Sources) -> Licence:
    """A derivative has its parent's."""
    terms = sources.parent.terms if sources.parent else None
    return Terms.model_validate_json(terms).licence if terms else details.licence


def _credit(details: Details, wallet: str | None) -> tuple[tuple[Creator, ...], str]:
    """The creators and the description. Nobody is published with an address that is not their own: a member who has
    linked no wallet, and named nobody, is named in the description.

    Raises:
        Refused: the description has no room for their name.
    """
    if details.creators:
        return details.creators, details.description
    if wallet is not None:
        return (Creator(name=details.author, address=wallet, share=100),), details.description
    description = "\n\n".join(filter(None, (details.description, f"Made by {details.author}.")))
    too_long = len(description) - metadata.LONGEST_DESCRIPTION
    if too_long > 0:
        raise Refused(
            "You have linked no wallet, so your name goes into the description, which has no room for it: shorten that "
            f"by {too_long} characters, link your wallet with `/wallet link`, or give an address with “Creators”."
        )
    return (), description


def _choose_recipient(details: Details, sources: _Sources) -> tuple[Address, str]:
    """The address, and why it is that one.

    Raises:
        Refused: there is none.
    """
    for address, why in (
        (details.recipient, "given"),
        (sources.wallet, "linked"),
        (sources.community_wallet, "community"),
    ):
        if address:
            return Address(address), why
    raise Refused("Nobody is to get it: link your wallet with /wallet link, or press “Recipient” and give an address.")
