"""The log as Parquet tables for analysts."""
