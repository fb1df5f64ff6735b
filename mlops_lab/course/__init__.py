"""What makes, runs, compares, lints and hands out the lessons: for authors, instructors and CI."""

__all__: list[str] = []
