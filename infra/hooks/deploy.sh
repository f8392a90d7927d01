#!/bin/sh
# Deploys Run Relay with the Azure CLI, whole or step by step. The same command again changes
# nothing that is as it should be, and removes no subscription.
#
#     sh infra/hooks/deploy.sh [STEP...]        without a STEP: resources code events
#
#     preview     tells what `resources`, and once something is deployed `events`, would change
#     resources   infra/main.bicep
#     code        what is committed, built in Azure, if the app can read its routes; then waits until
#                 the app can load all of it
#     routes      only looks whether the app could read the route file that lies here, as azd packs it
#     events      waits for the same, then infra/events.bicep
#     compiler    has the Azure CLI use the Bicep that this was tested with, for its own folder
#     app         prints the resource id of the function app
#     unpaused    stops if somebody paused the app by hand: azd would end that, `resources` keeps it
#
# AZURE_RESOURCE_GROUP      required; it must be there already
# AZURE_SUBSCRIPTION_ID     else the one that the Azure CLI stands in
# RELAY_PARAMETERS          parameter file of the resources
# RELAY_DEPLOYMENT          name of the deployment: one for each app of a resource group
# RELAY_EVENTS_PARAMETERS   parameters of infra/events.bicep, NAME=VALUE, between blanks
# RELAY_LOOKS, RELAY_LOOK_EVERY   how often, and each how many seconds, to look at the app
# RELAY_TRIES, RELAY_TRY_EVERY    the same for what fails only for a while
# RELAY_ASK                 no: the app takes no calls from here, so it is not asked
# RELAY_CHECK               no: the route file was checked elsewhere (bin/relay check)
# RUN_RELAY_PYTHON          the Python that checks it; else that of .venv, or python3
#
# Exit codes: 0 done, 2 usage, 4 Azure refused, 5 the app did not get ready.
set -euf # -f: no value is a pattern of file names
cd "$(dirname "$0")/../.."

: "${RELAY_PARAMETERS:=infra/prod.bicepparam}" "${RELAY_DEPLOYMENT:=run-relay}"
: "${RELAY_LOOKS:=60}" "${RELAY_LOOK_EVERY:=10}" "${RELAY_TRIES:=10}" "${RELAY_TRY_EVERY:=60}"
export AZURE_CORE_NO_COLOR=true
export MSYS_NO_PATHCONV=1 # Git for Windows would take a resource id for a path

USAGE=2 REFUSED=4 TIMED_OUT=5
BICEP=v0.49.2
PACKAGE=.cache/run-relay.zip # no absolute path: Git for Windows has others than the Azure CLI
# shellcheck source=infra/hooks/waiting.sh
. infra/hooks/waiting.sh
# shellcheck source=infra/hooks/checking.sh
. infra/hooks/checking.sh

azure() { # the Azure CLI, in the subscription that is asked for wherever it stands
    az "$@" --only-show-errors ${AZURE_SUBSCRIPTION_ID:+--subscription "$AZURE_SUBSCRIPTION_ID"}
}

output() { # NAME FORMAT: an output of the deployment; empty if there is none
    # Resource Manager may write RELAY_X as relaY_X: https://github.com/Azure/bicep/issues/9360
    word=${1%%_*}
    first=${word%?}
    other=$(printf '%s' "$first" | tr '[:upper:]' '[:lower:]')${1#"$first"}
    azure deployment group show -g "$AZURE_RESOURCE_GROUP" -n "$RELAY_DEPLOYMENT" -o "$2" \
        --query "properties.outputs.[$1.value, $other.value] | [?@] | [0]" | tr -d '\r'
}

given() { # NAME [FORMAT]: what azd has in its environment, else an output of the deployment
    eval "value=\${$1:-}"
    [ -n "$value" ] || value=$(output "$1" "${2:-tsv}")
    [ -n "$value" ] || stop $REFUSED "Deployment $RELAY_DEPLOYMENT in $AZURE_RESOURCE_GROUP has no" \
        "output $1. Deploy the resources first: sh infra/hooks/deploy.sh resources"
    printf '%s\n' "$value"
}

compiler() { # in a pipeline the Azure CLI would take the one that the agent happens to have
    export AZURE_BICEP_USE_BINARY_FROM_PATH=false AZURE_BICEP_CHECK_VERSION=false
    az bicep install --version "$BICEP" --only-show-errors >&2 ||
        stop $REFUSED "There is no Bicep $BICEP: see above."
}

paused_by_hand() { # prints the app that is paused, unless by the parameters of its last deployment
    apps=${AZURE_FUNCTION_NAME:-$(output AZURE_FUNCTION_NAME tsv 2> /dev/null || true)}
    # a deployment that failed has no outputs: all that it may have made
    [ -n "$apps" ] || apps=$(azure functionapp list -g "$AZURE_RESOURCE_GROUP" -o tsv \
        --query "[?tags.\"azd-service-name\"=='relay'].name") || return
    for app in $(printf '%s' "$apps" | tr -d '\r'); do
        value=$(azure functionapp config appsettings list -g "$AZURE_RESOURCE_GROUP" -n "$app" \
            --query "[?name=='PAUSED'].value | [0]" -o tsv 2>&1) || {
            fits "$GONE" "$value" && continue
            say "$value"
            return 1
        }
        case $(printf '%s' "$value" | tr -d ' \r' | tr '[:upper:]' '[:lower:]') in
            '' | 0 | false | no | off) continue ;;
            *) ;;
        esac
        azure deployment group show -g "$AZURE_RESOURCE_GROUP" -n "$RELAY_DEPLOYMENT" -o tsv \
            --query properties.parameters.policy.value.paused 2> /dev/null | grep -iq true || {
            printf '%s\n' "$app"
            return
        }
    done
}

unpause() { # APP: the command that ends its pause
    printf '%s' "az functionapp config appsettings set -g $AZURE_RESOURCE_GROUP -n $1 --settings PAUSED=0 -o none"
}

unpaused() {
    held=$(patiently "$BUSY" paused_by_hand) ||
        stop $REFUSED "Whether the app is paused could not be seen: see above."
    [ -z "$held" ] || stop $USAGE "$held IS PAUSED, and this deployment would end that. Nothing was deployed. Either
* end it: $(unpause "$held")
* or keep it: paused: true in policy, in the parameter file"
}

preview() {
    held=$(paused_by_hand 2> /dev/null) || say "Whether the app is paused could not be seen."
    set -- --no-prompt true --validation-level ProviderNoRbac --exclude-change-types Ignore NoChange
    azure deployment group what-if -g "$AZURE_RESOURCE_GROUP" -n "$RELAY_DEPLOYMENT" \
        -p "$RELAY_PARAMETERS" ${held:+paused=true} "$@" || stop $REFUSED "There is no preview: see above."
    if [ -n "$(output AZURE_FUNCTION_ID tsv 2> /dev/null)" ]; then
        events what-if "$@" || stop $REFUSED "There is no preview of the subscriptions: see above."
    fi
}

resources() {
    held=$(patiently "$BUSY" paused_by_hand) ||
        stop $REFUSED "Nothing was deployed: whether the app is paused could not be seen."
    [ -z "$held" ] ||
        say "$held IS PAUSED, and stays so until somebody ends it: $(unpause "$held")"
    say "deploying the resources: $RELAY_PARAMETERS"
    patiently "$BUSY|$NEW_PRINCIPAL" azure deployment group create -g "$AZURE_RESOURCE_GROUP" \
        -n "$RELAY_DEPLOYMENT" -p "$RELAY_PARAMETERS" ${held:+paused=true} --no-prompt true -o none
}

need_routes() { # PATHSPEC...: stops if the app would not find its route file in these, or not read it
    routes=$(named_routes)
    [ "${routes#/}" = "$routes" ] || return 0 # outside the package: whoever mounts it sees to it
    git archive --format=tar HEAD -- "$@" | tar -tf - | grep -Fx -e "$routes" > /dev/null ||
        stop $USAGE "The deployment names the route file $routes, which the package would not have," \
            "so no event would start anything. Nothing was uploaded. Packed are routes*.yaml beside" \
            "function_app.py, as committed: put it there and commit it, or change routesFile in policy."
    mkdir -p "$CHECKED"
    git show "HEAD:./$routes" > "$CHECKED/$routes"
    check_routes "$CHECKED/$routes"
}

routes() {
    routes=$(named_routes)
    [ "${routes#/}" = "$routes" ] || return 0
    [ -f "$routes" ] || stop $USAGE "The deployment names the route file $routes, which is not here." \
        "Nothing was uploaded. Put it beside function_app.py, or change routesFile in policy."
    check_routes "$routes"
}

upload() { # done, too, where the Azure CLI only looked too early at what it had deployed
    told=$(azure functionapp deployment source config-zip -g "$AZURE_RESOURCE_GROUP" -n "$app" \
        --src "$PACKAGE" --build-remote true -o none 2>&1) && return
    say "$told"
    fits "$UPLOADED" "$told"
}

code() {
    app=$(given AZURE_FUNCTION_NAME)
    set -- function_app.py functions host.json requirements.txt 'routes*.yaml'
    changed=$(git status --porcelain -- "$@")
    [ -z "$changed" ] || say "not committed, so not deployed:" "$changed"
    need_routes "$@"
    mkdir -p "${PACKAGE%/*}"
    git archive --format=zip -o "$PACKAGE" HEAD -- "$@"
    say "deploying the code: $(git rev-parse --short HEAD) to $app"
    patiently "$BUSY|$UNDER_WAY|$NEW_STORAGE_ROLE" upload
    wait_until_ready
}

events() { # ACTION OPTION...: deploys the subscriptions, or what else `az deployment group` can do
    action=$1
    shift
    id=$(given AZURE_FUNCTION_ID) || return
    storage=$(given AZURE_STORAGE_ID) || return
    topics=$(given RELAY_TOPIC_IDS json) || return
    # shellcheck disable=SC2086 # one word for each parameter
    azure deployment group "$action" -g "$AZURE_RESOURCE_GROUP" -n "$RELAY_DEPLOYMENT-events" \
        -f infra/events.bicep "$@" \
        -p functionAppId="$id" storageId="$storage" topicIds="$topics" ${RELAY_EVENTS_PARAMETERS:-}
}

subscribe() {
    [ "$READY" = yes ] || wait_until_ready
    say "deploying the event subscriptions"
    patiently "$BUSY|$NEW_FUNCTION|$NEW_TOPIC_ROLE" events create --no-prompt true -o none
}

[ $# -gt 0 ] || set -- resources code events
for step; do
    case $step in
        compiler | preview | resources | code | routes | events | app | unpaused) ;;
        *) stop $USAGE "There is no step $step. Steps: compiler preview resources code routes events app unpaused" ;;
    esac
done
[ -n "${AZURE_RESOURCE_GROUP:-}" ] || stop $USAGE "Name the resource group: AZURE_RESOURCE_GROUP"
command -v az > /dev/null || stop $USAGE "There is no Azure CLI (az) on this machine."
for step; do
    case $step in
        events) subscribe ;;
        app) given AZURE_FUNCTION_ID ;;
        *) "$step" ;;
    esac
done
