#!/bin/sh
# cel-expr-python 0.1.3: a function of one's own whose parameter is declared DYN passes the checker
# for every argument, and no call of it ever finds it. With one overload for each type it is found.
#
# What it says is an error value and no exception, "No matching overloads found : f(int64)", which
# `||` may hide: `f(1) || true` is true, and the function was not called. DYN stands for a value of
# any type: https://github.com/google/cel-spec/blob/master/doc/langdef.md#dynamic-values
#
# Installs the package into a temporary environment; nothing leaves the machine after that. Exits
# with 0 if it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "cel-expr-python==0.1.3" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import sys
from importlib.metadata import version

from cel_expr_python import cel

TYPE = cel.Type
KINDS = {"int": TYPE.INT, "text": TYPE.STRING, "map": TYPE.Map(TYPE.STRING, TYPE.DYN)}
calls = []


def called(value):
    calls.append(value)
    return True


def declared(name, kinds):
    made = [
        cel.Overload(f"{name}_{kind}", TYPE.BOOL, [of], False, called)
        for kind, of in kinds.items()
    ]
    return cel.FunctionDecl(name, made)


functions = [declared("f", {"any": TYPE.DYN}), declared("g", KINDS)]
environment = cel.NewEnv(variables={"x": TYPE.DYN}, functions=functions)


def seen(text, **data):
    calls.clear()
    answer = environment.compile(text).eval(data=data)
    print(f"{text:12} {str(data or str()):9} called: {calls!s:12} {answer}")
    return len(calls), "No matching overloads" if "No matching" in str(answer) else str(answer)


print("cel-expr-python", version("cel-expr-python"), "on Python", sys.version.split()[0])
missed = [seen("f(1)"), seen("f('a')"), seen("f({'a': 1})"), seen("f(x)", x=1)]
hidden = seen("f(1) || true")
works = [seen("g(1)"), seen("g('a')"), seen("g({'a': 1})"), seen("g(x)", x=1)]
as_stated = (
    set(missed) == {(0, "No matching overloads")}
    and hidden == (0, "true")
    and set(works) == {(1, "true")}
)
sys.exit(0 if as_stated else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
