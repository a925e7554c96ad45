"""One file per format, named after it."""
