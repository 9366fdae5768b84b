"""YAML -> a checked spec, or every problem at once. The only room with yaml and pydantic."""
