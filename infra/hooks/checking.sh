#!/bin/sh
# The look at the route file before it is uploaded; deploy.sh reads this file, which does nothing
# by itself.

CHECKED=.cache/checked # where what is committed is looked at, and not what lies in the folder

named_routes() { # prints the route file that the app looks for, from the folder of function_app.py
    routes=${RELAY_ROUTES_FILE:-$(output RELAY_ROUTES_FILE tsv)}
    routes=${routes#/home/site/wwwroot/}
    routes=${routes#./}
    printf '%s\n' "${routes:-routes.yaml}"
}

has_packages() { # PYTHON: whether it has what `relay check` imports
    command -v "$1" > /dev/null 2>&1 && "$1" -c 'import cel_expr_python, msgspec, typer, yaml' 2> /dev/null
}

with_packages() { # prints a Python that can check a route file: that of the checkout, or one at hand
    for python in "${RUN_RELAY_PYTHON:-}" .venv/bin/python .venv/Scripts/python.exe python3 python; do
        has_packages "$python" && printf '%s\n' "$python" && return
    done
    return 1
}

check_routes() { # FILE: stops if the app could not read it, and warns of what is only a sample
    if [ "${RELAY_CHECK:-yes}" = no ]; then
        say "The route file was not checked: RELAY_CHECK=no"
        return 0
    fi
    python=$(with_packages) || stop "$USAGE" \
        "The route file cannot be checked: no Python here has the packages of bin/relay. Nothing was uploaded. Either
* install them: python3 -m venv .venv && .venv/bin/python -m pip install -r requirements-cli.txt
* or leave this out, where bin/relay check was run elsewhere: RELAY_CHECK=no"
    told=$("$python" -m relay check "$1" 2>&1 > /dev/null) || stop "$USAGE" "$(shown "$told")" "
The app could not read this route file, so no event would start anything. Nothing was uploaded.
Mend it, and commit it: bin/relay check says the same."
    [ -z "$told" ] || say "$(shown "$told")"
    if grep -Eiq "^[^#]*organization: *[\"']?contoso[\"']?([ ,}]|$)" "$1"; then
        say "warning: the route file names contoso, the organization of the sample: nothing can be started there." \
            "Put yours in its place."
    fi
}

shown() { # TEXT: as if what is committed had been checked where it lies
    printf '%s\n' "$1" | sed "s|^$CHECKED/||"
}
