"""What we remember: read models folded from events, free of any database."""
