"""Say how an importer is doing: status, lag, metrics."""
