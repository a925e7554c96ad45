"""Showing a trained model photos: over HTTP, and on the page of the sorting guide."""
