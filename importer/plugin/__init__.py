"""The names that a plug-in may rely on: one module each for formats, embedders and stores.

They are three because a format runs in the daemon, which must stay free of what embedders and stores bring along.
"""
