"""``regulars worker``: Kafka's topics, folded into the read models by Faust; what cannot be folded, and what becomes of it."""
