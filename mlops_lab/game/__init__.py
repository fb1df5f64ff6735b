"""The game of lesson 13: a season of expectation and reality: board, terminal, leaderboard."""

__all__: list[str] = []
