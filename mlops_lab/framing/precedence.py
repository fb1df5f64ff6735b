"""From results to one decision: the first line that holds wins.

1. LOOKUP: a table of at most three columns answers exactly.
2. COLLECT: too few rows to test.
3. SHIFT: there is a relation, but tomorrow does not look like the past.
4. PARTIAL: over all rows no model pays or none is clearly better than paper, but in one group of rows it does
   and is.
5. COLLECT, NO_SIGNAL: too few rows to rule a useful relation in or out; no relation.
6. COLLECT: a weak relation on a steep learning curve, or a rule that leads on few rows with half of the skill
   still to be had.
7. COLLECT: paper against model is undecided.
8. RULE: the best on paper is as good, or brings at least as much money.
9. ML: it pays; or nothing was said about money.
10. PARTIAL: the whole does not pay, the surest part does.
11. NOT_COST_EFFECTIVE: nothing pays.

BLOCKED stands above them all: without a named person's yes to law and ethics nothing is recommended. The
evidence is gathered all the same, and `evidence_decision` says what it alone would recommend.
"""

from __future__ import annotations

from mlops_lab.framing.measure import Measured, Money

__all__ = [
    "DECISIONS",
    "evidence_decision",
    "gain_is_steep",
    "group_pays",
    "shifted",
    "signal",
    "too_few_for_a_rule",
]

DECISIONS = {
    "LOOKUP": "Use a table: it answers exactly.",
    "NO_SIGNAL": "Do not use ML: the inputs do not know the answer.",
    "COLLECT": "Collect more before you decide.",
    "SHIFT": "Not yet: tomorrow does not look like the past.",
    "RULE": "Use a rule: it does as well.",
    "PARTIAL": "Use ML for the part it is sure of, people for the rest.",
    "NOT_COST_EFFECTIVE": "Do not use ML: it does not earn its cost.",
    "ML": "Use ML.",
    "BLOCKED": "Stop: a named person must first answer for law and ethics.",
}
"""Every decision, in words."""

P_LIMIT = 0.01
LEAST_SKILL = 0.02
CLEAR_SKILL = 0.05
USEFUL_SKILL = 0.12
STEEP_GAIN = 0.10
MANY_ROWS = 1500
FEW_ROWS = 200
HALF_OPEN = 0.5
DROP_LIMIT = 0.05
APART_LIMIT = 0.70
SMALLEST_PART = 0.05


def signal(found: Measured) -> str:
    """Give "yes", "no", or "unclear" (too few rows to rule a useful relation out).

    Yes: p at most 0.01 and skill above 0.02, or p at most 0.05 and the skill's low end above 0.05, or a low
    end above
    0.24 whatever p says. Held-back skill alone is no proof: the best of nine candidates may owe it to a
    chance pattern of this very sample.
    """
    if found.relation is None:
        return "unclear"
    p = found.relation.p_value
    if (p <= P_LIMIT and found.skill > LEAST_SKILL) or (p <= 5 * P_LIMIT and found.low > CLEAR_SKILL):
        return "yes"
    if found.low > 2 * USEFUL_SKILL:
        return "yes"
    return "unclear" if (found.high - found.low) / 2 > USEFUL_SKILL else "no"


def gain_is_steep(found: Measured, rows: int) -> bool:
    """Tell whether four times the rows would add over 0.10 of skill to what is still weak (low end under
    0.12).
    """
    steep = found.curve is not None and found.curve.gain_at_4x > STEEP_GAIN and rows < MANY_ROWS
    return steep and found.low < USEFUL_SKILL


def too_few_for_a_rule(found: Measured, rows: int) -> bool:
    """Whether a rule leads only because few rows (under 200) starve the models: half the skill is open."""
    return rows < FEW_ROWS and found.low < HALF_OPEN


def group_pays(found: Measured) -> bool:
    """Whether in one group of rows a model beats paper, and brings more than paper does over all rows."""
    if found.group is None or not found.group.beats_paper:
        return False
    paper = 0.0 if found.money is None else found.money.paper.value
    return found.group.low > max(paper, 0.0)


def shifted(found: Measured) -> str:
    """Say whether inputs or patterns moved: "no", "yes" or "unknown".

    Yes: skill on the latest quarter is lower by more than 0.05 (whole interval), or a classifier tells live
    from past with an AUC above 0.70 (whole interval).
    """
    moved = (found.ageing is not None and found.ageing.low > DROP_LIMIT) or (
        found.apart is not None and found.apart.low > APART_LIMIT
    )
    return "yes" if moved else "unknown" if found.ageing is None and found.apart is None else "no"


def evidence_decision(found: Measured, rows: int) -> tuple[str, tuple[str, ...]]:
    """Decide from the evidence alone, by the order above."""
    if found.lookup is not None and found.lookup.columns:
        return "LOOKUP", ("C4", "N2")
    if found.contest is None:
        return "COLLECT", ("C3", "C1")
    related = signal(found)
    if related == "yes" and shifted(found) == "yes":
        return "SHIFT", ("C5",)
    if group_pays(found):
        return "PARTIAL", ("N3", "S2")
    if related == "unclear":
        return "COLLECT", ("C3", "C1")
    if related == "no":
        return "NO_SIGNAL", ("C1",)
    if gain_is_steep(found, rows):
        return "COLLECT", ("C3", "S1")
    if found.contest.answer != "model" and too_few_for_a_rule(found, rows):
        return "COLLECT", ("C3", "C2")
    if found.contest.answer == "unclear":
        return "COLLECT", ("C2", "C3")
    if found.contest.answer == "rule":
        return "RULE", ("C2", "N2")
    if found.money is not None:
        return _by_money(found.money)
    return "ML", ("C1", "C2", "C3")


def _by_money(money: Money) -> tuple[str, tuple[str, ...]]:
    part_pays = money.part.low > 0 and money.part.share >= SMALLEST_PART
    best = max(money.model.value, money.part.value if part_pays else -1.0)
    if money.paper.value > 0 and money.paper.value >= best:
        return "RULE", ("N2", "N3")
    if money.model.value > 0:
        return "ML", ("C1", "C2", "C3", "N3")
    return ("PARTIAL" if part_pays else "NOT_COST_EFFECTIVE"), ("N3", "S2")
