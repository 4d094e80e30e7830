"""docs/faults.md is printed from the table of faults, and each test that it names is there."""

import os
import re

import pytest

from tests import ROOT
from tests.documents.fault_matrix import FAULTS, MATRIX, print_matrix

DOCUMENT = ROOT / "docs" / "faults.md"


@pytest.mark.parametrize("service", MATRIX)
def test_every_fault_of_a_service_has_a_test_or_a_reason_or_is_said_to_have_none(service: str) -> None:
    assert tuple(MATRIX[service]) == FAULTS
    for cell in MATRIX[service].values():
        if cell.startswith("tests/"):
            file, _, name = cell.partition("::")
            assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), cell
        else:
            assert not cell or re.match(r"- \w", cell), cell


def test_the_document_is_printed_from_the_table() -> None:
    """With UPDATE_DOCUMENTS=1 in the environment it is written anew."""
    if os.environ.get("UPDATE_DOCUMENTS"):
        DOCUMENT.write_text(print_matrix(), encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == print_matrix(), (
        "run UPDATE_DOCUMENTS=1 .venv/bin/python -m pytest tests/documents/test_fault_matrix.py"
    )
