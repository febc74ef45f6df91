"""A running system: its parts opened together, its processes and followers."""
