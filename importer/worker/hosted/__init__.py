"""What the services of others answer, kept within bounds."""
