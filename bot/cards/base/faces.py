"""The functions that draw each kind of job and of question. The table of kinds is in bot/kinds.py."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.cards.base.layout import Card, Copy
from bot.errors import Broken
from bot.workflows.base.cards import CardView
from bot.workflows.base.files import FilePaths
from storage.drawing.images import Image
from storage.reviewing.reviews import Review


@dataclass(frozen=True)
class News:
    """A message of its own, with the name of whom it is for, so that Discord notifies them."""

    card: Card
    recipient: int
    """A member's id."""


@dataclass(frozen=True)
class Face:
    """How the jobs of one kind look. The functions take the view of that kind."""

    card: Callable[[Any, FilePaths, Mapping[str, Copy] | None], Card]
    news: Callable[[Any, str, str, FilePaths], News] | None = None
    """What a person is told by name: `about` names the news, `once` tells several of them apart."""
    one_image: Callable[[Any, Image, FilePaths, Mapping[str, Copy] | None], Card] | None = None
    """One of its images by itself; None where its card has no images in full size."""
    made_for_adults: Callable[[Any], bool] = lambda _: False
    """Whether its images may be for adults alone, as far as it says so itself: its channel may be gone."""
    title: Callable[[Any], str] = lambda _: ""
    """What it is called in a list, unshortened."""
    resumes: bool = False
    """One whose job has ended may be taken up again, so its last card is not final."""
    keeps_age_limit: bool = False
    """Its picture is asked about only in age-restricted channels if it comes from one."""


@dataclass(frozen=True)
class QuestionFace:
    """How one kind of question to the moderators looks."""

    word: str
    """What is asked about, in a word or two."""
    card: Callable[[Review, Any, FilePaths], Card]


class Faces:
    """Draws the cards of views and questions."""

    def __init__(self, jobs: Mapping[str, Face], questions: Mapping[str, QuestionFace], files: FilePaths) -> None:
        self._jobs = jobs
        self._questions = questions
        self._files = files

    def of(self, view: CardView) -> Face:
        """How things of that kind look."""
        return self._jobs[view.job.kind]

    def card(self, view: CardView, copies: Mapping[str, Copy] | None = None) -> Card:
        """Its card. `copies` are smaller files to show instead of some of its images, by the images' ids."""
        return self.of(view).card(view, self._files, copies)

    def image_card(self, view: CardView, image: Image, copies: Mapping[str, Copy] | None = None) -> Card:
        """The card of one of its images by itself.

        Raises:
            Broken: things of that kind have no images in full size.
        """
        one_image = self.of(view).one_image
        if one_image is None:
            raise Broken(f"Jobs of the kind {view.job.kind!r} have no images in full size.")
        return one_image(view, image, self._files, copies)

    def news(self, view: CardView, about: str, once: str) -> News:
        """
        Raises:
            Broken: jobs of that kind have no news.
        """
        news = self.of(view).news
        if news is None:
            raise Broken(f"Nobody is told of {about!r}: jobs of the kind {view.job.kind!r} have no news.")
        return news(view, about, once, self._files)

    def review_card(self, review: Review, view: CardView) -> Card:
        """What moderators see of a question.

        Raises:
            Broken: it is of a kind that only a newer version of the bot knows.
        """
        face = self._questions.get(review.kind)
        if face is None:
            raise Broken(f"This bot does not know approval requests of the kind {review.kind!r}.")
        return face.card(review, view, self._files)

    def kind_of(self, review: Review) -> str:
        """What is asked about, in a word or two."""
        face = self._questions.get(review.kind)
        return face.word if face else "Request"

    def title(self, view: CardView | None) -> str:
        """What it is called, unshortened; "" where it is gone."""
        return self.of(view).title(view) if view else ""
