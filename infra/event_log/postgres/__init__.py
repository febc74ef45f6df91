"""The log in PostgreSQL: for as many machines as there are."""
