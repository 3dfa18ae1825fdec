"""SQLite databases of other programs: how are they read without a trace, and which conversations are in them?"""
