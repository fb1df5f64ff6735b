"""How time passes in a game: whatever is live serves day after day, the pager listens, weeks are closed.

Left out: what a player can do; that is project.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.reality.game_state import Standing
from mlops_lab.reality.pager import Page, Pager
from mlops_lab.reality.product import Served
from mlops_lab.reality.registry import Version, channels, fit

__all__ = ["Season"]


class Season(Standing):
    """A game whose calendar moves on."""

    def _pass(self, days: int, pager: bool) -> Page | None:
        """Serve day after day by what is live; parts of a week where a deployment or a page cuts it."""
        end = min(self._day + days, 7 * self._scenario.weeks)
        while self._day < end:
            week, first = divmod(self._day, 7)
            last = min(end - 7 * week, 7) - 1
            fee = self._scenario.hand_fee if self._registry[self._live].by_hand else 0.0
            served = self._hidden.product.days(week, self._channels, first=first, last=last, fee=fee)
            self._day = 7 * week + last + 1
            page = self._listen(served)
            if page is not None and pager:
                self._day = page.day + 1
                served = served.before(24.0 * self._day)
            self._served.append(served)
            if self._day == 7 * (week + 1):
                log = self._hidden.product.close(week, self._served[self._closed :], price=self._price)
                self._weeks.append(replace(log, version=self._live, metric=self._metric))
                self._price, self._closed = log.next_price, len(self._served)
            if page is not None and pager:
                return page
        return None

    def _listen(self, served: Served) -> Page | None:
        if self._pager is None:
            return None
        rows = (served.hour.tolist(), (served.group == 1).tolist(), served.complained.tolist())
        page = self._pager.watch(zip(*rows, strict=True))
        if page is not None:
            self._pages.append(page)
            self._pager = None  # it has rung; a deployment begins a new watch
        return page

    def _channels(self, items: pd.DataFrame) -> pd.Series:
        version = self._registry[self._live]
        metric = "accuracy" if version.by_hand else self._metric
        likely = version.probabilities(items).to_numpy()
        chosen = channels(likely, self._scenario, metric, self._return_cost, self._price)
        return pd.Series(self._words(chosen), index=items.index)

    def _switch(self, version: str) -> None:
        self._live, self._switched = version, len(self._served)
        self._pager = Pager(self._scenario.small_group)

    def _register(self, model: Any, features: tuple[str, ...], note: str, rows: int) -> str:
        name = f"v{len(self._registry)}"
        self._registry[name] = Version(name, note, self._scenario, features, rows, self._day, model)
        return name

    def _teach(self, n: int) -> None:
        """Train on the truth of this week's items, at no cost: what the oracle does, and no player can."""
        reads = (*self._scenario.features, self._scenario.device)
        halves = [
            self._hidden.draw(n // 2, (self.week,), f"oracle {group}", group=group)
            for group in self._scenario.groups
        ]
        rows, truth = (
            pd.concat([half.items for half in halves]),
            np.concatenate([half.truth for half in halves]),
        )
        model = fit(rows, truth, reads, self._scenario)
        self._switch(self._register(model, reads, "knows the truth", n))
