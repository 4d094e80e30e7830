"""`python -m tests.chaos` (`make chaos`): the bot is killed at moments that nobody chose, under load and in trouble.

tests/crash kills at named moments; here the moments are random, and witnesses outside the process count what was paid,
posted, pinned and minted.
"""
