"""Run the daemon: its life, the questions it answers, what it says of itself."""
