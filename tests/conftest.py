"""Hypothesis: no deadlines (speed is measured in benchmarks/), the same examples in every run.

HYPOTHESIS_PROFILE=explore looks for new counterexamples.
"""

import os

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
