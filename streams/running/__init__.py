"""A running system: its parts opened together, child processes, and the parallel follower."""
