"""Generate conversations with known content."""
