"""The study configuration: pydantic models, loading, JSON schema."""
