"""Does the model do what was promised? With late labels, with few, and with none; and when to train again."""

__all__: list[str] = []
