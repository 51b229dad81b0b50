"""The notebook runs from top to bottom, draws, and its methods end where the closed forms say."""

import ast
import math
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def executed():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell):
    return "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout")


def test_it_simulates_and_draws(executed):
    assert f"log 2 = {math.log(2)}" in printed(executed[1])
    pictures = [o for cell in executed for o in cell.outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 2


def test_the_three_methods_end_where_the_closed_forms_say(executed):
    ends = ast.literal_eval(printed(executed[-1]).strip())
    assert ends["IPO"] == pytest.approx(1 / (2 * 0.5), abs=1e-4)
    assert ends["cDPO"] == pytest.approx(math.log(0.9 / 0.1) / 0.5, abs=1e-3)
    u = 0.5 * ends["DPO"]  # gradient flow of one pair: u + e^u = 1 + 2β²t, here t = 0.1 · 2000
    assert u + math.exp(u) == pytest.approx(1 + 2 * 0.5**2 * 200, rel=0.01)


def test_it_is_kept_without_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
