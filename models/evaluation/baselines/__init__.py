"""Published methods to hold the recommender against, one file a family."""
