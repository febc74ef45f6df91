"""What may happen: commands, events, and the pure decisions between them."""
