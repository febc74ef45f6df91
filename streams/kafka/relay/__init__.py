"""``regulars relay``: publish the log to Kafka's topics, from the stored bytes."""
