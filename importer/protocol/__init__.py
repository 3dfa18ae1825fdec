"""Values and frames that daemon and worker share; the only package that the worker may import."""
