"""Read models, folded from events. Pure: no database, no clock."""
