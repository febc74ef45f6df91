"""What the log remembers: snapshots for analysts and reports over them."""
