"""The weight of an example: how much it counts in the loss, where one example counts 1."""

from __future__ import annotations

from typing import Any

from rnnlp.data.errors import InputError

WEIGHT = "weight"  # the column or key that need not be there
LEAST, MOST = 1e-6, 1e6  # what float32 still adds up beside 1


def weight_of(value: Any) -> float:
    """A weight as a file states it; "" or None count as 1.

    Raises:
        InputError: It is neither 0 nor a number within the bounds.
    """
    if value is None or value == "":
        return 1.0
    try:
        weight = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        weight = float("nan")
    if weight != 0.0 and not LEAST <= weight <= MOST:
        raise InputError(
            f"the weight {value!r} is neither 0 nor a number from {LEAST:f} to {MOST:,.0f}; mend "
            "it, or say which column or key is the weight: data.weight_column (null for none)"
        )
    return weight


def weight_in(row: dict[str, Any], key: str | int | None) -> float:
    """The weight of a row of JSON lines; 1 where nothing is asked for.

    Raises:
        InputError: It is malformed, or there is none under a key that was asked for.
    """
    if key is None:
        return 1.0
    if key != WEIGHT and str(key) not in row:
        raise InputError(f"no key {str(key)!r} among {', '.join(row)}: set data.weight_column")
    return weight_of(row.get(str(key)))
