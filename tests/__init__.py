"""The tests. Each folder has the tests of the folder of the same name in `bot/`; `scenes` has what they share."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
"""The checkout."""
SPECS: Final = ROOT.parent / "shared" / "specs"
"""Descriptions that the services publish. They lie beside the checkout on some machines only; checks against them are
skipped elsewhere."""
