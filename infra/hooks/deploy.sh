#!/bin/sh
# Deploys Run Relay with the Azure CLI, whole or step by step. The same command again changes
# nothing that is as it should be, and removes no subscription.
#
#     sh infra/hooks/deploy.sh [STEP...]        without a STEP: resources code events
#
#     preview     tells what `resources`, and once something is deployed `events`, would change
#     resources   infra/main.bicep
#     code        what is committed, built in Azure
#     events      waits until the functions are indexed, then infra/events.bicep
#     compiler    has the Azure CLI use the Bicep that this was tested with, for its own folder
#     app         prints the resource id of the function app
#
# AZURE_RESOURCE_GROUP      required; it must be there already
# AZURE_SUBSCRIPTION_ID     else the one that the Azure CLI stands in
# RELAY_PARAMETERS          parameter file of the resources
# RELAY_DEPLOYMENT          name of the deployment: one for each app of a resource group
# RELAY_EVENTS_PARAMETERS   parameters of infra/events.bicep, NAME=VALUE, between blanks
# RELAY_LOOKS, RELAY_LOOK_EVERY   how often, and each how many seconds, to look for the functions
# RELAY_TRIES, RELAY_TRY_EVERY    the same for what fails only since a role takes its time
#
# Exit codes: 0 done, 2 usage, 4 Azure refused, 5 the functions did not appear.
set -eu
cd "$(dirname "$0")/../.."

: "${RELAY_PARAMETERS:=infra/prod.bicepparam}" "${RELAY_DEPLOYMENT:=run-relay}"
: "${RELAY_LOOKS:=60}" "${RELAY_LOOK_EVERY:=10}" "${RELAY_TRIES:=10}" "${RELAY_TRY_EVERY:=60}"
export AZURE_CORE_NO_COLOR=true
export MSYS_NO_PATHCONV=1 # Git for Windows would take a resource id for a path

USAGE=2 REFUSED=4 TIMED_OUT=5
BICEP=v0.49.2
PACKAGE=.cache/run-relay.zip # no absolute path: Git for Windows has others than the Azure CLI
# Errors that pass by themselves; all others are told at once.
BUSY='DeploymentActive|TooManyRequests|ServiceUnavailable|Service Unavailable|InternalServerError'
NEW_PRINCIPAL='PrincipalNotFound|RoleDefinitionDoesNotExist'
NEW_STORAGE_ROLE='InaccessibleStorage|BlobUploadFailed|AuthorizationPermissionMismatch'
NEW_FUNCTION='Destination endpoint not found|does not exist in the function app'
NEW_TOPIC_ROLE='Managed Identity Authorization Error|does not have permission to perform appropriate'
HOPELESS='AuthorizationFailed|ResourceNotFound|ResourceGroupNotFound|SubscriptionNotFound|az login'

say() { printf '%s\n' "$*" >&2; }

stop() { # CODE WORDS...
    code=$1
    shift
    say "$@"
    exit "$code"
}

azure() { # the Azure CLI, in the subscription that is asked for wherever it stands
    az "$@" --only-show-errors ${AZURE_SUBSCRIPTION_ID:+--subscription "$AZURE_SUBSCRIPTION_ID"}
}

patiently() { # PATTERN COMMAND...: once more, a number of times, where the error fits the pattern
    passing=$1 try=1
    shift
    until { said=$("$@" 2>&1 >&3); } 3>&1; do
        printf '%s\n' "$said" | grep -Eiq -e "$passing" || stop $REFUSED "$said"
        [ "$try" -lt "$RELAY_TRIES" ] || stop $REFUSED "$said" "
It failed $try times over: no wait helps any more. See \"What may go wrong\" in infra/README.md."
        say "try $try of $RELAY_TRIES failed, again in $RELAY_TRY_EVERY s:" \
            "$(printf '%s\n' "$said" | grep -Eio -e "$passing" | head -n 1)"
        sleep "$RELAY_TRY_EVERY"
        try=$((try + 1))
    done
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

preview() {
    set -- --no-prompt true --validation-level ProviderNoRbac --exclude-change-types Ignore NoChange
    azure deployment group what-if -g "$AZURE_RESOURCE_GROUP" -n "$RELAY_DEPLOYMENT" \
        -p "$RELAY_PARAMETERS" "$@" || stop $REFUSED "There is no preview: see above."
    if [ -n "$(output AZURE_FUNCTION_ID tsv 2> /dev/null)" ]; then
        events what-if "$@" || stop $REFUSED "There is no preview of the subscriptions: see above."
    fi
}

resources() {
    say "deploying the resources: $RELAY_PARAMETERS"
    patiently "$BUSY|$NEW_PRINCIPAL" azure deployment group create -g "$AZURE_RESOURCE_GROUP" \
        -n "$RELAY_DEPLOYMENT" -p "$RELAY_PARAMETERS" --no-prompt true -o none
}

need_routes() { # PATHSPEC...: stops if the app would look for a route file that these do not pack
    routes=$(output RELAY_ROUTES_FILE tsv)
    routes=${routes#/home/site/wwwroot/}
    routes=${routes#./}
    [ "${routes#/}" = "$routes" ] || return 0 # outside the package: whoever mounts it sees to it
    git archive --format=tar HEAD -- "$@" | tar -tf - | grep -Fx -e "${routes:-routes.yaml}" > /dev/null ||
        stop $USAGE "The deployment names the route file ${routes:-routes.yaml}, which the package would not have," \
            "so no event would start anything. Nothing was uploaded. Packed are routes*.yaml beside" \
            "function_app.py, as committed: put it there and commit it, or change routesFile in policy."
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
    patiently "$BUSY|$NEW_STORAGE_ROLE" azure functionapp deployment source config-zip \
        -g "$AZURE_RESOURCE_GROUP" -n "$app" --src "$PACKAGE" --build-remote true -o none
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

wanted() { # the functions that events.bicep subscribes, so that they are named once
    sed -n "s/^ *function: '\([a-z_]*\)'.*/\1/p" infra/events.bicep
}

missing() { # KNOWN: those of them that are not known
    wanted | while read -r name; do
        printf '%s\n' "$1" | tr -d '\r' | grep -Eq "(^|/)$name\$" || printf '%s ' "$name"
    done
}

wait_for_functions() {
    app=$(given AZURE_FUNCTION_NAME)
    [ -n "$(wanted)" ] || stop $USAGE "infra/events.bicep names no function to subscribe."
    look=1
    until known=$(azure functionapp function list -g "$AZURE_RESOURCE_GROUP" -n "$app" \
        --query '[].name' -o tsv 2>&1) && [ -z "$(missing "$known")" ]; do
        printf '%s\n' "$known" | grep -Eiq -e "$HOPELESS" && stop $REFUSED "$known"
        [ "$look" -lt "$RELAY_LOOKS" ] || stop $TIMED_OUT "$app has not indexed: $(missing "$known")
after $look looks, each $RELAY_LOOK_EVERY s. No subscription was changed. Look whether
* the code was deployed, and what the build said: sh infra/hooks/deploy.sh code
* it can be loaded: exceptions in Application Insights (saved query: exceptions)
* the identity of the app has Storage Blob Data Owner, and the app reaches the storage account
and then go on with: sh infra/hooks/deploy.sh events
The last answer was: ${known:-no function}"
        say "look $look of $RELAY_LOOKS: not indexed yet: $(missing "$known")"
        sleep "$RELAY_LOOK_EVERY"
        look=$((look + 1))
    done
}

subscribe() {
    wait_for_functions
    say "deploying the event subscriptions"
    patiently "$BUSY|$NEW_FUNCTION|$NEW_TOPIC_ROLE" events create --no-prompt true -o none
}

[ $# -gt 0 ] || set -- resources code events
for step; do
    case $step in
        compiler | preview | resources | code | events | app) ;;
        *) stop $USAGE "There is no step $step. Steps: compiler preview resources code events app" ;;
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
