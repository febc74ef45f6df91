"""What we learn: counters that predict before they learn, in the order of the log, free of any database."""
