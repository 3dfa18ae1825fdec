"""What was done in conversations: commands with their outcome, files edited and read, errors and what helped."""
