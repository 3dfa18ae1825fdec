"""A streaming conversation importer: a small daemon that tails, a disposable worker that embeds and stores."""

__version__ = "0.1.0"
