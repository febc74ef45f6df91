"""Members' keys, and where they are stored."""
