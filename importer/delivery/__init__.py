"""Send batches to the worker, and decide what happens when one fails."""
