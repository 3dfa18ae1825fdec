"""`importer status --memory`: what worker and daemon took, and what the worker will take."""
