"""Read complete lines from a file, and turn one slice of it into a span of chunks."""
