"""Numbers of a unit, written once."""

MB = 1024 * 1024  # bytes
NS = 1_000_000_000  # nanoseconds in a second
