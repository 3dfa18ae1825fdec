"""Turn a mapping of options into one validated Settings."""
