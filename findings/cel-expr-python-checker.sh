#!/bin/sh
# cel-expr-python 0.1.3: what its checker refuses its programs answer, and `has(…)` of a variable
# whose name has a dot answers the variable.
#
# * `x >= 1` with x declared a double does not compile ("no matching overload"), though the same
#   program, compiled with `disable_check=True`, answers true for x = 1.5. CEL has had comparisons
#   between kinds of numbers since 2022:
#   https://github.com/google/cel-spec/blob/master/doc/langdef.md#numbers
# * With `a.b` declared as a variable of text, `has(a.b)` answers the text and not true or false; while
#   only `a` is declared, as a map, the same expression answers true.
#
# Installs the package into a temporary environment; nothing leaves the machine after that. Exits
# with 0 if it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

version=0.1.3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "cel-expr-python==$version" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import sys
from importlib.metadata import version

from cel_expr_python import cel

TYPE = cel.Type


def seen(text, variables, data, **how):
    try:
        program = cel.NewEnv(variables=variables).compile(text, **how)
        answer = program.eval(data=data).plain_value()
    except RuntimeError as error:
        said = next((line for line in str(error).splitlines() if "ERROR" in line), "")
        print(f"{text:12} {how} refused: {said}")
        return "refused"
    print(f"{text:12} {how} answers {answer}")
    return answer


print("cel-expr-python", version("cel-expr-python"), "on Python", sys.version.split()[0])
found = [
    seen("x >= 1", {"x": TYPE.DOUBLE}, {"x": 1.5}),
    seen("x >= 1", {"x": TYPE.DOUBLE}, {"x": 1.5}, disable_check=True),
    seen("has(a.b)", {"a.b": TYPE.STRING}, {"a.b": "text"}),
    seen("has(a.b)", {"a": TYPE.Map(TYPE.STRING, TYPE.DYN)}, {"a": {"b": "text"}}),
]
sys.exit(0 if found == ["refused", True, "text", True] else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
