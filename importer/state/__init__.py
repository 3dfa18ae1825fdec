"""Keep what must survive a kill; all SQL stands here."""
