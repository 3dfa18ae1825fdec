"""Numbers of a unit, written once, and numbers of things in words."""

MB = 1024 * 1024  # bytes
NS = 1_000_000_000  # nanoseconds in a second


def counted(count: float, one: str, several: str = "") -> str:
    """Return how many there are of a thing: `1 file`, `1,234 files`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
