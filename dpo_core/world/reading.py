"""The primitive checks of decoded JSON. Each takes the value and where it stands, and returns it clean.

All raise ScenarioError: what, where, how to mend.
"""

import json
import math
from typing import Any

from dpo_core.errors import ScenarioError


def decode_json(text: str) -> Any:
    """Any JSON document. Raises json.JSONDecodeError or RecursionError, and nothing else.

    NaN, Infinity and endless whole numbers become non-finite floats, which ``check_number`` rejects
    with the place where they stand.
    """
    return json.loads(text.removeprefix("\ufeff"), parse_int=_whole_number)


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= 400 else math.inf  # int() itself refuses more than 4300 digits


def check_object(value: Any, where: str, required: set[str], optional: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ScenarioError(
            where,
            f"expected an object {{…}}, found {kind_of(value)}",
            f"Write an object with {', '.join(sorted(required or optional))}",
        )
    for key in value:
        if key not in required | optional:
            raise ScenarioError(
                f"{where}.{key}"[:80],
                "unknown key",
                f"Remove it; known here are {', '.join(sorted(required | optional))}",
            )
    for key in sorted(required - value.keys()):
        raise ScenarioError(f"{where}.{key}", "is missing", f"Add {key!r}")
    return value


def check_list(value: Any, where: str, least: int, most: int | None = None) -> list[Any]:
    if not isinstance(value, list):
        raise ScenarioError(where, f"expected a list […], found {kind_of(value)}", "Write a list")
    if len(value) < least or (most is not None and len(value) > most):
        needed = f"at least {least}" if len(value) < least else f"at most {most}"
        needed = f"exactly {least}" if most == least else needed
        raise ScenarioError(
            where, f"has {len(value)} {'entry' if len(value) == 1 else 'entries'}", f"Give {needed}"
        )
    return value


def check_text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        what = "is empty" if isinstance(value, str) else f"expected text, found {kind_of(value)}"
        raise ScenarioError(where, what, "Write some text in quotes")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:  # JSON's \ud800 alone: no program can write it as UTF-8
        raise ScenarioError(
            where, f"character {error.start + 1} is half of a surrogate pair", "Write that character again"
        ) from None
    return value


def check_number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScenarioError(
            where, f"expected a number, found {kind_of(value)}", "Write a number without quotes"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ScenarioError(where, f"{number} is not a finite number", "Use an ordinary finite number")
    return number


def check_numbers(
    value: Any, where: str, length: int | None, largest: float | None = None
) -> tuple[float, ...]:
    entries = check_list(value, where, length or 0, length)
    numbers = tuple(check_number(v, f"{where}[{k}]") for k, v in enumerate(entries))
    for k, number in enumerate(numbers):
        if largest is not None and abs(number) > largest:
            raise ScenarioError(
                f"{where}[{k}]", f"{number:g} is too large", f"Use numbers within ±{largest:.0f}"
            )
    return numbers


def check_within(value: Any, where: str, bounds: tuple[float, float]) -> float:
    number = check_number(value, where)
    if not bounds[0] <= number <= bounds[1]:
        what = "must be positive" if number <= 0 < bounds[0] else "is out of range"
        raise ScenarioError(where, f"{number:g} {what}", f"Use a number from {bounds[0]:g} to {bounds[1]:g}")
    return number


def check_share(value: Any, where: str) -> float:
    number = check_number(value, where)
    if not 0.0 <= number <= 1.0:
        raise ScenarioError(
            where, f"{number:g} is outside [0, 1]", "Use a share such as 0.8 for 80 % of the raters"
        )
    return number


def check_whole(value: Any, where: str, least: int, most: int) -> int:
    number = check_number(value, where)
    if number != int(number):
        raise ScenarioError(
            where, f"{number:g} is not a whole number", f"Use a whole number from {least} to {most}"
        )
    if not least <= number <= most:
        raise ScenarioError(
            where, f"{number:g} is out of range", f"Use a whole number from {least} to {most}"
        )
    return int(number)


def check_index(value: Any, where: str, count: int, noun: str) -> int:
    number = check_number(value, where)
    if number != int(number) or not 0 <= number < count:
        raise ScenarioError(
            where,
            f"there is no {noun} with number {number:g}",
            f"Use 0 to {count - 1} (counting starts at 0)",
        )
    return int(number)


def check_switch(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ScenarioError(
            where, f"expected true or false, found {kind_of(value)}", "Write true or false without quotes"
        )
    return value


def kind_of(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true/false", type(None): "null"}
    return names.get(type(value), "a number")
