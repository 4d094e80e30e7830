"""The documents say what is there: paths that exist, and the diagrams of the tables of transitions."""

import os
import re
from collections.abc import Iterator

import pytest

from storage.base.transitions import diagram
from storage.finetuning import transitions as finetuning
from storage.registering import transitions as registering
from tests import ROOT

DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md")
PATH = re.compile(r"`((?:bot|cogs|storage|tests|standins|sandbox|benchmarks|deploy|docs)/[\w./-]*)`")
"""A path of the project in backticks; `…/<feature>/…` and other patterns are none."""


def named_paths() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for path in sorted(set(PATH.findall((ROOT / document).read_text(encoding="utf-8")))):
            yield document, path


@pytest.mark.parametrize(("document", "path"), [*named_paths()])
def test_every_path_that_a_document_names_exists(document: str, path: str) -> None:
    assert (ROOT / path).exists(), f"{document} names {path}"


DIAGRAMS = {
    "registration": diagram("A registration", registering.TRANSITIONS),
    "finetune": diagram("A finetune", finetuning.TRANSITIONS),
}


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_diagram_of_a_state_machine_is_printed_from_its_table(name: str) -> None:
    """With UPDATE_DOCUMENTS=1 in the environment the diagram is written anew."""
    path = ROOT / "ARCHITECTURE.md"
    text = path.read_text(encoding="utf-8")
    printed = f"<!-- diagram: {name} -->\n```mermaid\n{DIAGRAMS[name]}\n```\n<!-- end -->"
    if os.environ.get("UPDATE_DOCUMENTS"):
        pattern = re.compile(rf"<!-- diagram: {name} -->.*?<!-- end -->", re.DOTALL)
        text = pattern.sub(lambda _: printed, text)
        path.write_text(text, encoding="utf-8")
    assert printed in text, "run UPDATE_DOCUMENTS=1 .venv/bin/python -m pytest tests/documents/test_documents.py"
