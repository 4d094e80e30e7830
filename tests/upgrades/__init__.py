"""The newest bot opens the folder that each older one left in `tests/golden`: a file of tests here per folder."""
