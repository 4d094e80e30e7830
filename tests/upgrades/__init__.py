"""The newest bot opens the folder that each older one left in `tests/golden`; `make_folder` makes the next one."""
