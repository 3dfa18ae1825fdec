"""Find, fetch, build and verify embedding models."""
