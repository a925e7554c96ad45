"""Run models over many photos and handle what they predict."""
