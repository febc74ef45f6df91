"""The log, told to other programs."""
