"""Examine an installation and name the fix of each thing that is wrong."""
