"""Convert other data sets and formats to and from COCO."""
