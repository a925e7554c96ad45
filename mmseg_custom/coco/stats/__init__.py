"""Count and describe what a set holds."""
