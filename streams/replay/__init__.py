"""What the log remembers: snapshots for analysts, reports over them, and history under another policy."""
