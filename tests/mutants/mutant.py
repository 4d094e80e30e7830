"""What a mutant is."""

from dataclasses import dataclass

from tests import ROOT


@dataclass(frozen=True)
class Mutant:
    """One guard, and how to take it out."""

    guard: str
    """What holds as long as it is there."""
    file: str
    text: str
    """Its lines exactly, once in the file."""
    becomes: str
    test: str
    """A test that must fail without it, such as `tests/jobs/test_queue.py::test_…`."""

    @property
    def count(self) -> int:
        """How often its text is in the file."""
        return (ROOT / self.file).read_text(encoding="utf-8").count(self.text)
