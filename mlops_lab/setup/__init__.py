"""What comes before anything is installed: packages, environment, the list of lessons. Standard library."""

__all__: list[str] = []
