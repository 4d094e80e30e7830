"""`python -m tests.mutants` (`make mutants`): each guard is taken out in a copy, and a test must notice.

A guard whose removal no test notices is not tested. The table is `tests/mutants/table.py` and the files beside it.
"""
