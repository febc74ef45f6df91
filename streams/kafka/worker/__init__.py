"""``regulars worker``: projects Kafka's topics into the read models, by Faust."""
