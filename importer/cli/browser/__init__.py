"""The terminal browser: a list of conversations, the one chosen beside it, search as you type."""
