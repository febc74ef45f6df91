"""Records that no fold could take: kept, shown, retried."""
