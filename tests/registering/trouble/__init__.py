"""Registrations while the node, a pinning service, the disk or Discord is in trouble."""
