"""Apache Kafka: its topics, what a record of ours is, and how records get there. Knows shapes, never a named event."""
