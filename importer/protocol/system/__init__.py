"""What the operating system can do, and what takes its place where it cannot."""
