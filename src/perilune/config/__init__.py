"""Configuration: schema, loading, provenance, writing."""
