"""Programs that a measurement runs in processes of their own: services, bots, and ways of preparing pictures."""
