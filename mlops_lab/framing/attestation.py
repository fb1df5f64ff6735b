"""May we? A question no statistic can answer, so a named person must."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Attestation"]


@dataclass(frozen=True)
class Attestation:
    """What a named person says about law and ethics.

    It records an answer; it cannot check it. Without it every verdict is BLOCKED.

    Parameters
    ----------
    legal
        Whether the use is legal, or None where nobody has looked.
    ethical
        Whether it is right towards the people it touches, or None.
    by
        Who says so.

    Raises
    ------
    TypeError
        When an answer is not True, False or None, or `by` is not text.

    Examples
    --------
    >>> Attestation(legal=True, ethical=True, by="A. Meyer, data protection").given
    True
    >>> Attestation(legal=True, ethical=None, by="A. Meyer").why
    'Nobody has said whether this is ethical.'

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """

    legal: bool | None = None
    ethical: bool | None = None
    by: str = ""

    def __post_init__(self) -> None:
        for name, value in (("legal", self.legal), ("ethical", self.ethical)):
            if value is not None and not isinstance(value, bool):
                raise TypeError(
                    f"Attestation: {name} is {value!r}; give True, False, or None for not looked at."
                )
        if not isinstance(self.by, str):
            raise TypeError(f"Attestation: by is {self.by!r}; give the name of the person who says so.")

    @property
    def given(self) -> bool:
        """True when both answers are yes and somebody stands for them."""
        return not self.why

    @property
    def why(self) -> str:
        """Say what is missing or refused, or ""."""
        who = self.by.strip()
        for word, value in (("legal", self.legal), ("ethical", self.ethical)):
            if value is False:
                return f"{who or 'Somebody'} says that this is not {word}."
        for word, value in (("legal", self.legal), ("ethical", self.ethical)):
            if value is None:
                return f"Nobody has said whether this is {word}."
        return "" if who else "The answers on law and ethics bear no name."
