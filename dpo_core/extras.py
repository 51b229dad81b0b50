"""The packages that only some commands need: ``pip install .`` brings NumPy alone."""

from importlib.util import find_spec

from dpo_core.errors import ScenarioError


def need(command: str, package: str, extra: str) -> None:
    """Raises ScenarioError, with how to install it, where ``package`` is not there. Imports nothing."""
    if find_spec(package) is None:
        mend = f"In the folder of DPO Lab, run: pip install '.[{extra}]'"
        raise ScenarioError(command, f"needs {package}, which is not installed", mend)
