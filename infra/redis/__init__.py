"""Redis, which holds the read models: its address, reading, committing, checkpoints and digests."""
