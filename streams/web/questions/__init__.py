"""The questions of the HTTP API: what may be asked, who may ask it, and what answers it."""
