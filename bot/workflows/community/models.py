"""The models that a member can choose by name, as the catalogue offers them and the community allows them."""

from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.parameters import Model
from bot.workflows.community.limits import allowed_models
from storage.community.communities import Community

INPUT = "input_image"
"""The role of an image that is edited."""


def painters() -> list[Model]:
    """The models that draw from words, with or without an image."""
    return [model for model in catalogue.offered() if not any(role.required for role in model.roles)]


def editors() -> list[Model]:
    """The models that change an image as an instruction says."""
    return [model for model in catalogue.offered(editing=True) if any(role.name == INPUT for role in model.roles)]


def model_named(text: str) -> Model:
    """The model that a member chose from the list, or typed.

    Raises:
        Refused: there is none of that name.
    """
    wanted = text.strip().casefold()
    labelled = [model for model in catalogue.offered() if model.label.casefold() == wanted]
    return labelled[0] if labelled else catalogue.find(wanted)


def painter_named(text: str) -> Model:
    """A model that draws from words.

    Raises:
        Refused: there is none of that name, or it cannot do that, or is not offered any more.
    """
    model = model_named(text)
    if model.withdrawn:
        raise Refused(f"{model.label} is not offered any more. Choose one from the list.")
    if model not in painters():
        raise Refused(f"{model.label} does not draw from words. Choose one from the list.")
    return model


def editor_named(text: str) -> Model:
    """A model that edits.

    Raises:
        Refused: there is none of that name, or it cannot do that.
    """
    model = model_named(text)
    if model not in editors():
        raise Refused("That model does not edit pictures. Choose one from the list.")
    return model


def allowed_editors(community: Community) -> list[Model]:
    """The models that may edit here; the usual one first.

    Raises:
        Refused: the community allows none.
    """
    models = allowed_models(editors(), community)
    if not models:
        raise Refused("This server allows no model that edits pictures.")
    return sorted(models, key=lambda model: model.key != catalogue.USUAL_EDITOR)
