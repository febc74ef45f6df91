"""The log as a shop-log file, which imported again makes the same read models."""
