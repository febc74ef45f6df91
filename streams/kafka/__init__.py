"""Kafka: topics, the relay, the workers and dead letters."""
