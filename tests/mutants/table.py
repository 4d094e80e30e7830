"""All guards. A new guard is a row in the file of its kind; what it protects has a test that fails without it."""

from tests.mutants.digests import DIGESTS
from tests.mutants.hosts_and_slots import HOSTS_AND_SLOTS
from tests.mutants.money import MONEY
from tests.mutants.ranges import RANGES
from tests.mutants.rights import RIGHTS

MUTANTS = (*MONEY, *RIGHTS, *DIGESTS, *RANGES, *HOSTS_AND_SLOTS)
