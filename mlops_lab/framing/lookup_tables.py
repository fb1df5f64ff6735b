"""Is the answer simply written somewhere? Exact look-ups, and tables of usual answers.

`find_lookup` asks whether up to three columns settle the answer exactly, also for rows not yet seen: then no
prediction is needed. `UsualAnswers` is the paper rival that remembers the usual answer of each cell.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlops_lab.framing.paper_rivals import at_prior, even_weights, number_words, prior
from mlops_lab.framing.problem import CLOSE_ROWS, Problem

__all__ = ["Lookup", "UsualAnswers", "find_lookup"]

MOST_TRIED = 700
MOST_CELLS = 200


@dataclass(frozen=True)
class Lookup:
    """Whether a table answers exactly.

    Attributes
    ----------
    columns
        The smallest set of at most three columns that settles the answer, or ().
    hit_rate
        Share of unseen rows that the best table tried answers rightly; rows it has no entry for count as
        wrong.
    covered
        Share of unseen rows that this table has an entry for.
    """

    columns: tuple[str, ...]
    hit_rate: float
    covered: float


def find_lookup(problem: Problem, *, seed: int = 0) -> Lookup:
    """Look for at most three columns that settle the answer exactly.

    A table is written from 70 % of the rows and asked for the other 30 %. It stands when it never
    contradicts itself, knows at least 95 % of the unseen rows, and answers at least 99 % of these rightly.
    It tries at most 700 sets of columns with few values, smallest sets first, on at most 3,000 rows; the set
    that stands is asked again on all of them. It misleads where a column is
    filled in after the answer was known: then the table is exact and useless.

    Parameters
    ----------
    problem
        From `prepare`.
    seed
        Which rows are held back.
    """
    close = problem.part(CLOSE_ROWS, seed)
    best = Lookup((), 0.0, 0.0)
    sizes = (1, 2, 3) if problem.codes.shape[1] <= 14 else (1, 2)
    sets = (group for size in sizes for group in itertools.combinations(range(problem.codes.shape[1]), size))
    for group in itertools.islice(sets, MOST_TRIED):
        found = _asked(close, group, seed)
        if found.columns and close is not problem:
            found = _asked(problem, group, seed)
        if found.columns:
            return found
        if found.hit_rate > best.hit_rate:
            best = found
    return best


def _asked(problem: Problem, group: tuple[int, ...], seed: int) -> Lookup:
    """Write a table by these columns from some rows and ask it for the others; no columns if it fails."""
    rows = np.random.default_rng([seed, 2]).permutation(problem.size)
    written, asked = rows[: int(0.7 * len(rows))], rows[int(0.7 * len(rows)) :]
    answers = np.unique(problem.answers, return_inverse=True)[1].astype(np.int64)
    cells = _cells(problem.codes, group)
    pairs = np.unique(np.column_stack([cells[written], answers[written]]), axis=0)
    if len(np.unique(pairs[:, 0])) < len(pairs):
        return Lookup((), 0.0, 0.0)
    entry = np.full(int(cells.max()) + 1, -1)
    entry[pairs[:, 0]] = pairs[:, 1]
    known = entry[cells[asked]]
    covered = float((known >= 0).mean())
    hits = float((known == answers[asked]).mean())
    stands = covered >= 0.95 and hits >= 0.99 * covered and (known >= 0).sum() >= 25
    return Lookup(tuple(problem.code_names[column] for column in group) if stands else (), hits, covered)


def _cells(codes: NDArray[np.int64], group: tuple[int, ...]) -> NDArray[np.int64]:
    """One whole number for each combination of values of these columns."""
    cells = np.zeros(len(codes), dtype=np.int64)
    for column in group:
        cells = cells * (int(codes[:, column].max()) + 1) + codes[:, column]
    return np.unique(cells, return_inverse=True)[1].astype(np.int64)


@dataclass
class UsualAnswers:
    """A table of at most 200 cells over at most three columns, with the usual answer in each.

    The columns are chosen by how well each row is answered by the *other* rows of its cell (leaving one
    out), so a column with many values does not win by remembering.
    """

    name: str = "table"
    group: tuple[int, ...] = ()
    cell_of: dict[tuple[int, ...], int] = field(default_factory=dict)
    entries: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    otherwise: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    share: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def fit(self, problem: Problem, rows: NDArray[np.int64]) -> UsualAnswers:
        """Choose the columns and write the table."""
        codes, weights = problem.codes[rows], even_weights(problem, rows)
        answers = problem.answers[rows]
        if problem.numbers:
            wanted = answers[:, None].astype(float)
        else:
            self.share = prior(problem, rows)
            wanted = np.equal.outer(answers, np.arange(len(problem.classes))).astype(float)
        self.otherwise = np.average(wanted, axis=0, weights=weights)
        self.group = self._choose(codes, wanted, weights)
        cells = _cells(codes, self.group)
        self.cell_of = {
            tuple(key): int(cell) for key, cell in zip(codes[:, self.group].tolist(), cells, strict=True)
        }
        sums, mass = _sums(cells, wanted, weights)
        self.entries = (sums + self.otherwise) / (mass + 1)[:, None]
        return self

    def _choose(
        self, codes: NDArray[np.int64], wanted: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> tuple[int, ...]:
        levels = [len(np.unique(codes[:, column])) for column in range(codes.shape[1])]
        usable = [column for column, count in enumerate(levels) if 2 <= count <= MOST_CELLS]
        scored = sorted((_left_out_error(codes, (column,), wanted, weights), (column,)) for column in usable)
        if not scored:
            return ()
        firsts = [group[0] for _, group in scored[:12]]
        best_error: float = scored[0][0]
        best: tuple[int, ...] = scored[0][1]
        trials: list[tuple[int, ...]] = list(itertools.combinations(firsts, 2))
        for _ in range(2):
            for group in trials:
                if np.prod([levels[column] for column in group]) <= MOST_CELLS:
                    error = _left_out_error(codes, group, wanted, weights)
                    if error < best_error - 1e-9:
                        best_error, best = error, group
            trials = [(*best, column) for column in firsts if column not in best] if len(best) == 2 else []
        return best

    def chances(self, problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Look each row up; an unknown cell gets the overall answer."""
        even = np.tile(self.otherwise, (len(rows), 1))
        for position, key in enumerate(problem.codes[rows][:, self.group].tolist()):
            cell = self.cell_of.get(tuple(key))
            if cell is not None:
                even[position] = self.entries[cell]
        return np.asarray(even[:, 0]) if problem.numbers else at_prior(even, self.share)

    def words(self, problem: Problem) -> str:
        """Name the columns and the number of cells."""
        if not self.group:
            return (
                f"always {number_words(float(self.otherwise[0]))}" if problem.numbers else "one usual answer"
            )
        names = " and ".join(problem.code_names[column] for column in self.group)
        return f"a table by {names} ({len(self.entries)} cells)"


def _sums(
    cells: NDArray[np.int64], wanted: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    size = int(cells.max(initial=0)) + 1
    columns = [np.bincount(cells, weights * column, minlength=size) for column in wanted.T]
    return np.column_stack(columns), np.bincount(cells, weights, minlength=size).astype(float)


def _left_out_error(
    codes: NDArray[np.int64],
    group: tuple[int, ...],
    wanted: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> float:
    cells = _cells(codes, group)
    sums, mass = _sums(cells, wanted, weights)
    overall = np.average(wanted, axis=0, weights=weights)
    others = sums[cells] - weights[:, None] * wanted + overall
    usual = others / (mass[cells] - weights + 1)[:, None]
    return float(np.average(((wanted - usual) ** 2).sum(axis=1), weights=weights))
