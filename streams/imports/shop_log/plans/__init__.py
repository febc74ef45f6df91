"""What each line of a shop-log asks for: commands, planned over what the log knows when their turn has come."""
