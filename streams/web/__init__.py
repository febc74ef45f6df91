"""The HTTP API: commands as resources, questions, problems, and who may ask."""
