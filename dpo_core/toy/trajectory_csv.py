"""A trajectory as a table: one row per step, one column per number, full float64 precision."""

import csv
import io

import numpy as np

from dpo_core.toy.simulate import Trajectory


def trajectory_to_csv(trajectory: Trajectory) -> str:
    """CSV text with a header; prompts, replies and comparisons are numbered from 0, as in the file."""
    columns: dict[str, np.ndarray] = {"step": np.arange(trajectory.scenario.steps + 1)}
    places = [(i, k) for i, n in enumerate(trajectory.scenario.preferences.sizes) for k in range(n)]
    for column, (prompt, reply) in enumerate(places):
        columns[f"log_policy[{prompt}][{reply}]"] = trajectory.log_policy[:, column]
    for name, values in trajectory.metrics.items():
        if values.ndim == 1:
            columns[name] = values
        else:
            columns |= {f"{name}[{i}]": values[:, i] for i in range(values.shape[1])}
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(c.tolist() for c in columns.values()), strict=True))
    return sheet.getvalue()
