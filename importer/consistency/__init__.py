"""Compare the store with what the files say: verify, forget, start over."""
