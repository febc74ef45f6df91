"""History under another policy, or under other settings of the recommender."""
