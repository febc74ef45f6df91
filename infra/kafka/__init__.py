"""Apache Kafka: settings, clients, topics, records, producer, and chunks for Faust. It knows no event by name."""
