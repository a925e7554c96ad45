"""Split a set into folds, and repeat rare images."""
