"""Rebuilds folds in new keys beside the live ones, from the log or from Kafka, and switches to them in one step."""
