"""What daemon and worker share about hosted providers."""
