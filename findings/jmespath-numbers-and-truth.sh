#!/bin/sh
# jmespath 1.1.0: whether 1 is true depends on where it is asked, and to_number() reads what is no
# number of JSON.
#
# * `==` tells 1 from true, as it should; contains() does not, nor does `==` inside lists and
#   objects.
# * to_number() answers 10 for the text "1_0" and 1 for " 1 ", and for "NaN" one that JSON has not;
#   the specification wants null there: https://jmespath.org/specification.html#to-number
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
    "jmespath==1.1.0" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import sys
from importlib.metadata import version

import jmespath

GIVEN = {"one": 1, "yes": True, "ones": [1], "trues": [True], "o": {"a": 0}, "f": {"a": False}}
QUERIES = {
    "one == yes": "False",
    "contains(trues, `1`)": "True",
    "contains(ones, `true`)": "True",
    "ones == trues": "True",
    "o == f": "True",
    "trues[?@ == `1`]": "[]",
    "to_number('10')": "10",
    "to_number('0x10')": "None",
    "to_number('1_0')": "10",
    "to_number(' 1 ')": "1",
    "to_number('NaN')": "nan",
}
print("jmespath", version("jmespath"), "on Python", sys.version.split()[0])
found = {}
for query in QUERIES:
    found[query] = str(jmespath.search(query, GIVEN))
    print(f"{query:25} {found[query]}")
sys.exit(0 if found == QUERIES else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
