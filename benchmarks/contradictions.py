"""Sentences of a verdict of `framing.should_use_ml` that deny the row, or the decision, beside them."""

from __future__ import annotations

from mlops_lab import framing


def contradictions(verdict: framing.Verdict) -> list[str]:
    """List sentences of a verdict that deny the row, or the decision, beside them."""
    rows = {row.key: row for row in verdict.evidence}
    measured, decision = verdict.measured, verdict.evidence_decision
    everything = str(verdict)
    earned = measured.money
    pairs = {
        "collect, yet enough": decision == "COLLECT" and "Enough to decide" in rows["C3"].words,
        "no signal, yet an interval above 0": decision == "NO_SIGNAL" and measured.chosen_low > 0.02,
        "a rule, yet nothing simple works": decision == "RULE" and rows["N2"].status == "for",
        "a model, yet a rule does as well": decision == "ML"
        and rows["N2"].status == "against"
        and measured.money is None,
        "holds its skill, yet it fell": measured.ageing is not None
        and measured.ageing.drop > 0.05
        and "holds its skill" in rows["S5"].words,
        "pays up to less than nothing": "pays up to -" in everything,
        "a surest part that loses": "surest" in rows["N3"].words
        and "brings -" in rows["N3"].words.split(";")[1],
        "a rule that loses money": decision == "RULE" and earned is not None and earned.paper.value <= 0,
        "does not pay, yet a model is used": decision in ("ML", "PARTIAL") and rows["N3"].status == "against",
        "pays, yet paper is paid more": decision == "RULE" and rows["N3"].status == "for",
        "minus nothing": "-0.00" in rows["S1"].words,
        "a sum with two signs": "+ -" in everything or "- -" in everything,
        "a rule nobody can read": len(verdict.rule) > 1500,
        "a part, yet it does not pay": decision == "PARTIAL"
        and earned is not None
        and earned.part.low <= 0
        and measured.group is None,
    }
    return [name for name, holds in pairs.items() if holds]
