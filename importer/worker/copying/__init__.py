"""Points brought to another store: all of them, or what is new."""
