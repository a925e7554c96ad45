"""Read, compare and report work folders; run trials."""
