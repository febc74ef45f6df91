"""Read models as of the past, and the comparison of those in Redis with the log."""
