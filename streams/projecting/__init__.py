"""The read side: projects chunks of events into Redis."""
