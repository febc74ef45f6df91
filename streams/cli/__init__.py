"""The command line: a file a command, each a few lines over what it shows."""
