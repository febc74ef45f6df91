"""Questions that the console and the API ask of a running system."""
