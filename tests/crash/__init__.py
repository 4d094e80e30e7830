"""Kills the real bot at every step, and looks at what the next one makes of it.

`zygote` forks lives of the bot, each a process of its own (`life`), that end themselves at a chosen moment (`moments`).
Discord and BFL live on in the test's process (`world`), and see what members and the account's owner would see.
"""
