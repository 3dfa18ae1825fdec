"""Measure how much memory is taken, and decide what to do about it."""
