"""Records that no fold could take: kept in a topic, shown, retried."""
