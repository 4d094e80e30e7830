"""Checks what a member says about an image before it is kept: on a chain it cannot be corrected."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from bot.errors import Refused
from bot.story import metadata
from bot.story.metadata import Creator
from bot.story.node.values import address
from bot.workflows.registering.types import Details


def change_details(details: Details, changes: Mapping[str, object]) -> Details:
    """The details with `changes` to their fields, checked and tidied. A draft may lack a title.

    Raises:
        Refused: a value is not allowed; the sentence says which and why.
    """
    wanted = details.model_copy(update=dict(changes))
    return wanted.model_copy(
        update={
            "title": metadata.line(wanted.title, "A title", cap=metadata.LONGEST_TITLE) if wanted.title.strip() else "",
            "description": metadata.prose(wanted.description, "A description", cap=metadata.LONGEST_DESCRIPTION),
            "tags": metadata.tags_of(",".join(wanted.tags)),
            "creators": _check_creators(wanted.creators),
            "recipient": address(wanted.recipient) if wanted.recipient and wanted.recipient.strip() else None,
        }
    )


def _check_creators(creators: Sequence[Creator]) -> tuple[Creator, ...]:
    """
    Raises:
        Refused: there are too many, two have the same wallet, or their shares do not make 100 %.
    """
    if len(creators) > metadata.MOST_CREATORS:
        raise Refused(f"At most {metadata.MOST_CREATORS} creators can be named; these are {len(creators)}.")
    together = sum((Decimal(str(creator.share)) for creator in creators), Decimal(0))
    if creators and together != 100:
        raise Refused(f"The creators' shares are {together.normalize():f} % together. They must be 100 %.")
    if len({creator.address for creator in creators}) < len(creators):
        raise Refused("Two creators have the same wallet address.")
    return tuple(creators)
