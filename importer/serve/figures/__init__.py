"""What the page draws of numbers: how the importer is, and on which days was spoken."""
