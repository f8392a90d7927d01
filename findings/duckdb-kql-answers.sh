#!/bin/sh
# duckdb-kql 1.1.2 (with duckdb 2.0.0): some valid KQL is answered in silence with something else,
# some is refused.
#
# * A text between backticks or tildes, and one that `h` hides, keep their signs and the `h`: no
#   row is equal to them, where Kusto compares with what is between the quotes:
#   https://learn.microsoft.com/kusto/query/scalar-data-types/string
# * `make_list(n, 2)` and `make_set(n, 2)` answer all values and not two at most:
#   https://learn.microsoft.com/kusto/query/make-list-aggregation-function
# * `serialize` with nothing behind it is a syntax error:
#   https://learn.microsoft.com/kusto/query/serialize-operator
#
# Installs the packages into a temporary environment; nothing leaves the machine after that. Exits
# with 0 if it still behaves so, 1 if that has changed, 2 if it could not be tried. PYTHON names the
# interpreter (python3).
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 2' HUP INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv" || exit 2
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    "duckdb-kql==1.1.2" "duckdb==2.0.0" || exit 2

cat > "$folder/seen.py" <<'PYTHON'
import sys
from importlib.metadata import version

import duckdb
import duckdb_kql

QUERIES = {
    'T | where s == "a" | count': 1,
    'T | where s == h"a" | count': 0,
    "T | where s == h@'a' | count": 0,
    "T | where s == ```a``` | count": 0,
    "T | where s == ~~~a~~~ | count": 0,
    'print h"a"': 'h"a"',
    "T | summarize array_length(make_list(n, 2))": 3,
    "T | summarize array_length(make_set(n, 2))": 3,
    "T | serialize | count": "KqlSyntaxError",
}


def seen(query):
    try:
        ((answer,),) = duckdb_kql.kql(rows, query).fetchall()
    except duckdb_kql.KqlError as error:
        answer = type(error).__name__
    print(f"{query:45} {answer!r}")
    return answer


for package in ("duckdb-kql", "duckdb"):
    print(package, version(package))
rows = duckdb.connect()
rows.execute("create table T as select * from (values (1, 'a'), (2, 'b'), (3, 'c')) t(n, s)")
found = {query: seen(query) for query in QUERIES}
sys.exit(0 if found == QUERIES else 1)
PYTHON

code=0
"$folder/venv/bin/python" "$folder/seen.py" || code=$?
exit "$code"
