"""The read side: chunks of events folded into Redis."""
