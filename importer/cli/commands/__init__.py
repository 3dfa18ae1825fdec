"""The commands that people type: one module each."""
