"""Turn what was said into chunks: what is one, what is masked in it, and what is its id (pure)."""
