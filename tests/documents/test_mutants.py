"""The table of mutants is true: each guard stands in its file once, and the test that it names is there."""

import re

import pytest

from tests import ROOT
from tests.mutants.mutant import Mutant
from tests.mutants.table import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.guard)
def test_a_guard_of_the_table_is_in_the_code_and_its_test_among_the_tests(mutant: Mutant) -> None:
    assert mutant.count == 1, f"“{mutant.text}” is {mutant.count} times in {mutant.file}"
    file, _, name = mutant.test.partition("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), mutant.test


def test_no_guard_is_in_the_table_twice() -> None:
    assert len({mutant.guard for mutant in MUTANTS}) == len(MUTANTS) >= 40
