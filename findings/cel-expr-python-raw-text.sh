#!/bin/sh
# cel-expr-python 0.1.3: a raw text may have a backslash anywhere but at its end. `r"\"`, which is
# one backslash, is refused, with "String must end with", and so is every other one that ends with
# a backslash, in all four kinds of quotes. A backslash is nothing special in a raw text:
# https://github.com/google/cel-spec/blob/master/doc/langdef.md#string-and-bytes-values
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

QUOTES = '"', "'", 3 * '"', 3 * "'"
KNOWN = {r'r"\d" == "\\d"': "true", r'r"\\d" == "\\\\d"': "true"}
AT_ITS_END = [rf'r{quote}\{quote} == "\\"' for quote in QUOTES] + [r'r"a\b\" == "a\\b\\"']
EXPECTED = {**KNOWN, **dict.fromkeys(AT_ITS_END, "refused")}


def seen(text):
    try:
        answer = str(cel.NewEnv().compile(text).eval(data={}))
    except RuntimeError as error:
        (said, *_) = str(error).splitlines()
        print(f"{text:26} refused: {said}")
        return "refused" if "String must end with" in said else said
    print(f"{text:26} {answer}")
    return answer


print("cel-expr-python", version("cel-expr-python"), "on Python", sys.version.split()[0])
found = {text: seen(text) for text in EXPECTED}
sys.exit(0 if found == EXPECTED else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
