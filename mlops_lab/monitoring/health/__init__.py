"""Is the program that serves healthy? Speed, memory, numbers and graphics cards."""

__all__: list[str] = []
