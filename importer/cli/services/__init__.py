"""What starts the daemon with the machine, and the words that other programs start this one with."""
