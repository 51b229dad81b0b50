"""ARCHITECTURE.md, held to: who may import whom, which packages where, and how long things may be."""

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = ("app", "dpo_core", "lessons")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in (*SHIPPED, "benchmarks", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
OURS = [name for name in MODULES if name.split(".")[0] in SHIPPED]

# Each layer may import itself and those before it.
LAYERS = ("ground", "methods", "glossary", "world", "toy", "theory", "gpt2", "lessons", "app")
OF_THE_COMMAND_LINE = {
    "method_flags",
    "scenario_argument",
    "frontier_command",
    "frontier_worker",
    "__main__",
}
SAME_NAME = {
    "__init__",
    "__main__",
    "plackett_luce",  # the method, and the theory of its model
}
LONGER = {"test_a_lesson"}  # a class's whole hour with a room, told in one go


def imported(name):
    """Everything that a module imports, inside functions too, as dotted names."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


def layer(name):
    top, *rest = name.split(".")
    if top != "dpo_core":
        return top
    part = rest[0] if rest else "ground"
    if part in OF_THE_COMMAND_LINE:
        return "gpt2"  # beside it: train and parity are commands
    return part if part in LAYERS else "ground"


@pytest.mark.parametrize("name", OURS)
def test_arrows_point_to_the_ground(name):
    allowed = LAYERS[: LAYERS.index(layer(name)) + 1]
    ours = [other for other in imported(name) if other.split(".")[0] in (*SHIPPED, "benchmarks", "tests")]
    assert [other for other in ours if layer(other) not in allowed] == []
    if layer(name) in ("app", "lessons"):  # neither may ever load torch
        gpt2 = [other for other in ours if other.startswith("dpo_core.gpt2")]
        assert [other for other in gpt2 if not other.startswith("dpo_core.gpt2.spec.")] == []
    if name.startswith("dpo_core.gpt2.spec"):
        assert [other for other in ours if layer(other) == "gpt2" and ".spec" not in other] == []


def test_numpy_is_all_that_the_core_imports_and_only_the_app_knows_streamlit():
    for name in OURS:
        packages = {other.split(".")[0] for other in imported(name)}
        if name.startswith("dpo_core"):
            assert not packages & {"streamlit", "starlette", "plotly", "pandas"}, name
            spec = name.startswith("dpo_core.gpt2.spec")
            if spec or not name.startswith("dpo_core.gpt2."):
                foreign = packages - {"numpy", *SHIPPED} - sys.stdlib_module_names
                assert foreign == set(), name
        else:
            assert not packages & {"torch", "transformers", "plotly"}, name
            assert layer(name) == "app" or "streamlit" not in packages, name


def test_no_two_modules_have_one_name():
    counted = Counter(MODULES[name].stem for name in OURS)
    assert {stem for stem, times in counted.items() if times > 1} <= SAME_NAME


@pytest.mark.parametrize("name", MODULES)
def test_files_and_functions_are_short(name):
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = {
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, functions) and node.end_lineno - node.lineno >= 60
    }
    assert long <= LONGER
