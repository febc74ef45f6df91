"""What whoever keeps something in PostgreSQL needs: its address, what went wrong, and tables of a known version."""
