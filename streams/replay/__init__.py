"""What the log remembers: rebuilds, read models as of the past, backtests, snapshots for analysts and reports over them."""
