"""Build one experiment from a config file and a command line."""
