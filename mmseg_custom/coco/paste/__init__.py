"""Copy objects of rare classes into other photos."""
