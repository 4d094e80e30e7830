"""What all stand-ins are built on: faults to switch on, an archive that outlives a restart, and serving on loopback."""
