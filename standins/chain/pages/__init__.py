"""Pages for people, in a browser: what is on the chain."""
