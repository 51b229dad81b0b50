"""Every check by key, in the order of the lessons that first use it."""

from lessons.check import Check
from lessons.checks import (
    baseline,
    classes,
    coefficients,
    dpo_loss,
    found,
    gradient,
    optimum,
    pipeline,
    practice,
    preference,
    troubles,
    wrong,
)

MODULES = (
    preference,
    pipeline,
    optimum,
    dpo_loss,
    gradient,
    classes,
    baseline,
    practice,
    found,
    coefficients,
    troubles,
    wrong,
)
CHECKS: dict[str, Check] = {check.key: check for module in MODULES for check in module.CHECKS}
