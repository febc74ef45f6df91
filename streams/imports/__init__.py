"""Other people's data, turned into commands: nothing is written but what a shop could have asked for."""
