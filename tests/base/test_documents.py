"""The documents say what is there: paths that exist, and the diagrams of the tables of transitions."""

import re
from collections.abc import Iterator

import pytest

from tests import ROOT

DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md")
PATH = re.compile(r"`((?:bot|cogs|storage|tests|standins|sandbox|benchmarks|deploy|docs)/[\w./-]*)`")
"""A path of the project in backticks; `…/<feature>/…` and other patterns are none."""


def named_paths() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for path in sorted(set(PATH.findall((ROOT / document).read_text(encoding="utf-8")))):
            yield document, path


@pytest.mark.parametrize(("document", "path"), named_paths())
def test_every_path_that_a_document_names_exists(document: str, path: str) -> None:
    assert (ROOT / path).exists(), f"{document} names {path}"
