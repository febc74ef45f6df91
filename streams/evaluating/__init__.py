"""``regulars evaluate``: a shop's history read as events, the methods run over it, and the report."""
