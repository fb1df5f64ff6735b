"""Has the data moved, and is it whole? Drift, profiles and a schema, with known error rates."""

__all__: list[str] = []
