"""Tell registered endpoints what happened: the sender and its bodies."""
