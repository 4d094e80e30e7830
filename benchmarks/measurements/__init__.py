"""One module a measurement; its `measure` gives the table that is printed."""
