"""The Redis that holds the read models: where it is, and how it is reached."""
