"""What a member earns: by spending, by what they do, by missions. Each grant freezes what it was worth by."""
