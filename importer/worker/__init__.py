"""What runs only in the worker process: models, embedders, stores, and the loop that serves the daemon."""
