"""Find what may have changed, which files are behind, and which are wanted."""
