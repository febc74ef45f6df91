"""``regulars relay``: the log, published to Kafka's topics from the stored bytes."""
