"""The filter language of MLflow's searches, as far as Azure Machine Learning reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|[(),]|[<>!]=|[=<>]|[^\s'"`(),=<>!]+""")
QUOTES = "'\""


class RefusedError(Exception):
    """What the service will not do: an HTTP status, MLflow's error code and a message."""

    def __init__(
        self, message: str, code: str = "INVALID_PARAMETER_VALUE", status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status

    def wire(self) -> dict[str, Any]:
        """The body, as https://github.com/Azure/azure-sdk-for-python/issues/42155 shows it."""
        return {
            "Error": {"Code": "UserError", "Message": self.message, "Details": []},
            "Correlation": {},
            "Environment": "local",
            "Location": "local",
            "ComponentName": "mlflow",
            "statusCode": self.status,
            "error_code": self.code,
        }


@dataclass(frozen=True)
class Clause:
    """One comparison of a filter: `kind.key operator values`; bare keys have kind "".

    `quoted` says that the values were strings; only IN has more than one.
    """

    kind: str
    key: str
    operator: str
    values: tuple[str, ...]
    quoted: bool


def parsed(text: str) -> list[Clause]:
    """The clauses of a filter, which may only be joined by AND. Raises RefusedError."""
    tokens = TOKEN.findall(text)
    clauses: list[Clause] = []
    while tokens:
        if clauses and tokens.pop(0).upper() != "AND":
            raise unsupported(text)
        clauses.append(_clause(tokens, text))
    return clauses


def unsupported(text: str) -> RefusedError:
    """The refusal of a filter, in the service's words."""
    return RefusedError(
        "Currently unsupported filter string format (we currently do not support OR). "
        f"Provided filter string: {text}"
    )


def _clause(tokens: list[str], text: str) -> Clause:
    """Take one comparison off the front of the tokens."""
    try:
        name, operator, first = tokens.pop(0), tokens.pop(0).upper(), tokens.pop(0)
        taken = [first]
        while first == "(" and taken[-1] != ")":
            taken.append(tokens.pop(0))
    except IndexError:
        raise unsupported(text) from None
    values = [t for t in taken if t not in {"(", ")", ","}]
    kind, dot, key = name.partition(".")
    if not dot:
        kind, key = "", name
    quoted = bool(values) and all(v[0] in QUOTES for v in values)
    plain = tuple(v.strip(QUOTES) for v in values)
    return Clause(kind, key, operator, plain, quoted)
