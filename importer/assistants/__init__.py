"""One module an assistant: where its settings lie, and how one of its conversations is gone on with."""
