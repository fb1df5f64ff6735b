"""The pictures that carry the lecture: drawn by code, for light and dark slides, the same bytes each time.

Each function takes ``theme="light"`` or ``"dark"`` and returns a matplotlib figure that belongs to no window;
one that trains or simulates takes the `seed` of its lesson, too. What a picture states is computed by the
functions that the lessons use; a drawing without a measurement is one of `DRAWINGS`, and a slide that shows
it says *schematic*.
"""

from mlops_lab.slides.pictures.around_the_model import (
    fundamentals,
    ml_system,
    mlops_loop,
    studies_and_production,
    where_time_goes,
)
from mlops_lab.slides.pictures.expectation_vs_reality import (
    dream_scores,
    expectation_and_reality,
    first_weeks,
)
from mlops_lab.slides.pictures.monitoring_charts import (
    colour_of_fruit,
    exploding_numbers,
    kept_promise,
    late_bad_news,
    leak_or_cache,
    night_calls,
    sure_and_wrong,
    two_servers,
    what_to_watch,
)
from mlops_lab.slides.pictures.tasks_and_life_cycle import landscape, life_cycle, nine_tasks
from mlops_lab.slides.pictures.varying_load import load_bills, who_carries_what, who_is_late
from mlops_lab.slides.pictures.versioning_and_tracking import (
    one_run_of_each,
    order_of_steps,
    seven_causes,
    ten_versions,
    twelve_curves,
    what_to_keep,
)
from mlops_lab.slides.pictures.when_to_use_ml import (
    enough_rows,
    evidence_table,
    five_conditions,
    five_dials,
    paper_or_model,
    pays_or_not,
    shuffled_scores,
    yesterday_or_today,
)

__all__ = [
    "colour_of_fruit",
    "dream_scores",
    "enough_rows",
    "evidence_table",
    "expectation_and_reality",
    "exploding_numbers",
    "first_weeks",
    "five_conditions",
    "five_dials",
    "fundamentals",
    "kept_promise",
    "landscape",
    "late_bad_news",
    "leak_or_cache",
    "life_cycle",
    "load_bills",
    "ml_system",
    "mlops_loop",
    "night_calls",
    "nine_tasks",
    "one_run_of_each",
    "order_of_steps",
    "paper_or_model",
    "pays_or_not",
    "seven_causes",
    "shuffled_scores",
    "studies_and_production",
    "sure_and_wrong",
    "ten_versions",
    "twelve_curves",
    "two_servers",
    "what_to_keep",
    "what_to_watch",
    "where_time_goes",
    "who_carries_what",
    "who_is_late",
    "yesterday_or_today",
]

DRAWINGS = (
    "five_conditions",
    "fundamentals",
    "landscape",
    "leak_or_cache",
    "life_cycle",
    "ml_system",
    "mlops_loop",
    "nine_tasks",
    "studies_and_production",
    "what_to_keep",
    "what_to_watch",
    "who_carries_what",
)
"""The pictures that show a thought and no measurement."""
