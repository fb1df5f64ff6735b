"""Who is told, and when? Rules and alarms, and the places they go: a stream, Prometheus, CloudWatch."""

__all__: list[str] = []
