"""What a member does on the card of their draft: they fill in its forms, and submit it."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, Field

from bot.errors import Refused
from bot.story import metadata
from bot.values import Frozen
from bot.workflows.base.forms import Forms
from bot.workflows.base.kit import Kit
from bot.workflows.registering.drafting.parsing import parse_creators, parse_licence
from bot.workflows.registering.types import Details, DraftView
from bot.workflows.registering.verbs import Registrations
from bot.workflows.registering.wallets import Wallets

KEPT = 1800.0
"""Seconds for which a form that was not accepted is kept, so that nobody types it twice."""
TICKED = "yes"
"""What a sent form has of a box that is ticked."""

FormName = Literal["text", "licence", "creators", "recipient"]
"""The forms of a draft. The names are part of the ids under which forms are kept."""


class _Typed(Frozen):
    """What was typed into a form, by the names of its fields, as it is kept."""

    model_config = ConfigDict(serialize_by_alias=True)

    fields: dict[str, str] = Field(alias="said")


@dataclass(frozen=True)
class Submission:
    """What came of an attempt to submit a draft."""

    title: str
    draft: DraftView | None = None
    """How the draft is now; None where it was submitted."""
    refusal: str = ""
    """Why it was not submitted."""


class DraftCard:
    """Every verb refuses a member who does not own the draft."""

    def __init__(self, kit: Kit, *, registrations: Registrations, wallets: Wallets) -> None:
        self._forms = Forms(kit)
        self._registrations = registrations
        self._wallets = wallets

    async def open_form(
        self, registration_id: str, form: FormName, *, by: int, guild_id: int | None
    ) -> tuple[Details, dict[str, str]]:
        """What the draft says, and what was typed into that form and not accepted.

        Raises:
            Refused: this is no draft of theirs.
        """
        details = await self._registrations.details(registration_id, by=by, guild_id=guild_id)
        typed = await self._forms.find(_form_id(registration_id, form), by, _Typed)
        return details, typed.fields if typed else {}

    async def send_form(
        self, registration_id: str, form: FormName, fields: dict[str, str], *, by: int, guild_id: int | None
    ) -> DraftView:
        """Change the draft as a form says. What is not accepted is kept for when the form is opened again.

        Raises:
            Refused: a value is not allowed and nothing was changed, or this is no draft of theirs.
        """
        await self._registrations.details(registration_id, by=by, guild_id=guild_id)
        form_id = _form_id(registration_id, form)
        try:
            changes = await self._read_form(form, fields, by)
            view = await self._registrations.edit(registration_id, by=by, **changes)
        except Refused as error:
            await self._forms.keep(form_id, by, _Typed(said=fields), seconds=KEPT)
            raise Refused(f"{error} Nothing was changed; the form still has what you typed.") from error
        await self._forms.take(form_id, by, _Typed)
        return view

    async def submit(
        self,
        registration_id: str,
        *,
        by: int,
        guild_id: int | None,
        digest: str,
        channel_id: int,
        age_restricted: bool = False,
    ) -> Submission:
        """Submit the draft. Where that is refused and it is still a draft, the caller shows it again.

        Raises:
            Refused: this is no draft of theirs.
            Unavailable: the bot is about to restart.
        """
        details = await self._registrations.details(registration_id, by=by, guild_id=guild_id)
        try:
            await self._registrations.submit(
                registration_id, by=by, digest=digest, channel_id=channel_id, age_restricted=age_restricted
            )
        except Refused as error:
            with contextlib.suppress(Refused):
                draft = await self._registrations.draft(registration_id, by=by)
                return Submission(details.title, draft, str(error))
            raise
        return Submission(details.title)

    async def _read_form(self, form: FormName, fields: Mapping[str, str], by: int) -> dict[str, object]:
        """The changes to the details.

        Raises:
            Refused: something cannot be understood; the sentence says what.
        """
        match form:
            case "text":
                return {
                    "title": fields.get("title", ""),
                    "description": fields.get("description", ""),
                    "tags": metadata.tags_of(fields.get("tags", "")),
                    "public_prompt": fields.get("prompt") == TICKED,
                }
            case "licence":
                return {"licence": parse_licence(fields)}
            case "creators":
                wallet = await self._wallets.of(by)
                return {"creators": parse_creators(fields.get("creators", ""), wallet.address if wallet else None)}
            case "recipient":
                return {"recipient": fields.get("recipient", "").strip() or None}


def _form_id(registration_id: str, form: FormName) -> str:
    return f"{registration_id}-{form}"
