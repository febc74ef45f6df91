"""The log of all facts: append-only, in order, with what must hold across streams in the same transaction."""
