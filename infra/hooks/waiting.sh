#!/bin/sh
# What deploy.sh waits for, and how long: it reads this file, which does nothing by itself.
# shellcheck disable=SC2034 # used there

# Errors that pass by themselves; all others are told at once.
BUSY='DeploymentActive|TooManyRequests|Service ?Unavailable|Bad ?Gateway|Gateway ?Time-?out|InternalServerError'
NEW_PRINCIPAL='PrincipalNotFound|RoleDefinitionDoesNotExist'
NEW_STORAGE_ROLE='InaccessibleStorage|BlobUploadFailed|AuthorizationPermissionMismatch'
NEW_FUNCTION='Destination endpoint not found|does not exist in the function app'
NEW_TOPIC_ROLE='Managed Identity Authorization Error|does not have permission to perform appropriate'
# What the Azure CLI says of an upload: enable_zip_deploy_flex and what it calls, in
# https://github.com/Azure/azure-cli/blob/dev/src/azure-cli/azure/cli/command_modules/appservice/custom.py
UNDER_WAY='ongoing deployment|deployment is in progress|still on-?going'
UNDER_WAY="$UNDER_WAY|Failed to retrieve deployment status|Status Code: (409|502|503|504)"
UNDER_WAY="$UNDER_WAY|(409|502|503|504) (Client|Server) Error|invalid status '?(Conflict|409|502|503|504)"
UPLOADED='Failed to fetch host key|Deployment was successful'
GONE='ResourceNotFound|ResourceGroupNotFound'
HOPELESS="AuthorizationFailed|$GONE|SubscriptionNotFound|az login"
NOT_FROM_HERE='Ip Forbidden'
READY=no

say() { printf '%s\n' "$*" >&2; }

stop() { # CODE WORDS...
    code=$1
    shift
    say "$@"
    exit "$code"
}

fits() { # PATTERN TEXT
    printf '%s\n' "$2" | grep -Eiq -e "$1"
}

patiently() { # PATTERN COMMAND...: once more, a number of times, where the error fits the pattern
    passing=$1 try=1
    shift
    until { said=$("$@" 2>&1 >&3); } 3>&1; do
        fits "$passing" "$said" || stop "$REFUSED" "$said"
        [ "$try" -lt "$RELAY_TRIES" ] || stop "$REFUSED" "$said" "
It failed $try times over: no wait helps any more. See \"What may go wrong\" in infra/README.md."
        say "try $try of $RELAY_TRIES failed, again in $RELAY_TRY_EVERY s:" \
            "$(printf '%s\n' "$said" | grep -Eio -e "$passing" | head -n 1)"
        sleep "$RELAY_TRY_EVERY"
        try=$((try + 1))
    done
}

wanted() { # the functions that events.bicep subscribes, so that they are named once
    sed -n "s/^ *function: '\([a-z_]*\)'.*/\1/p" infra/events.bicep
}

missing() { # KNOWN: those of them that are not known
    wanted | while read -r name; do
        printf '%s\n' "$1" | tr -d '\r' | grep -Eq "(^|/)$name\$" || printf '%s ' "$name"
    done
}

indexed() { # whether Azure knows the functions; prints what it knows, or its error
    known=$(azure functionapp function list -g "$AZURE_RESOURCE_GROUP" -n "$app" \
        --query '[].name' -o tsv 2>&1) && lacking=$(missing "$known") && [ -z "$lacking" ] && return
    printf '%s\n' "not indexed yet: $(missing "$known")" "${known:-no function}"
    return 1
}

# The probe of `relay doctor`, which an app takes only if it can load all that events need. The key
# goes through a pipe: arguments can be seen by others, and the Azure CLI reads @- from there.
# https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
taken() {
    host=$(azure functionapp show -g "$AZURE_RESOURCE_GROUP" -n "$app" --query defaultHostName -o tsv) &&
        key=$(azure functionapp keys list -g "$AZURE_RESOURCE_GROUP" -n "$app" \
            --query systemKeys.eventgrid_extension -o tsv) || return
    [ -n "$key" ] || { say "the host has made no key for Event Grid yet" && return 1; }
    printf '%s' "$key" | tr -d '\r' | azure rest --method post --skip-authorization-header -o none \
        --url "https://$(printf '%s' "$host" | tr -d '\r')/runtime/webhooks/eventgrid?functionName=$(wanted | head -n 1)" \
        --headers aeg-event-type=Notification x-functions-key=@- --body "$(probe)"
}

probe() {
    printf '[{"id": "deploy-%s-%s", "topic": "%s", "subject": "deploy", "eventType": "RunRelay.Probe",' \
        "$(date -u +%s)" "$$" "$app"
    printf ' "eventTime": "%s", "data": {}, "dataVersion": "1"}]\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
}

look_until() { # WHAT TO_DO CHECK: looks a number of times; ends all with what to do where no wait helps
    look=1
    until answer=$("$3" 2>&1); do
        first=$(printf '%s\n' "$answer" | head -n 1 | cut -c 1-300)
        fits "$HOPELESS" "$answer" && stop "$REFUSED" "$answer"
        fits "$NOT_FROM_HERE" "$answer" && stop "$REFUSED" "$answer" "
$app takes no calls from here, so it cannot be asked. RELAY_ASK=no leaves that out."
        [ "$look" -lt "$RELAY_LOOKS" ] || stop "$TIMED_OUT" "$app $1
after $look looks, each $RELAY_LOOK_EVERY s. No subscription was changed. Look whether$2
and then go on with: sh infra/hooks/deploy.sh events
The last answer was: $answer"
        say "look $look of $RELAY_LOOKS: $first"
        sleep "$RELAY_LOOK_EVERY"
        look=$((look + 1))
    done
}

wait_until_ready() { # until the functions are indexed, and the app has shown that it can run them
    app=$(given AZURE_FUNCTION_NAME)
    [ -n "$(wanted)" ] || stop "$USAGE" "infra/events.bicep names no function to subscribe."
    look_until "has not indexed: $(wanted | tr '\n' ' ')" "
* the code was deployed, and what the build said: sh infra/hooks/deploy.sh code
* it can be loaded: exceptions in Application Insights (saved query: exceptions)
* the identity of the app has Storage Blob Data Owner, and the app reaches the storage account" indexed
    READY=yes
    [ "${RELAY_ASK:-yes}" != no ] || return 0
    say "asking $app whether it can load all that it has"
    look_until "has the code, and has not taken a probe, for which it loads all that events need," "
* its packages were built for its Python: exceptions in Application Insights (saved query: exceptions)
  name what cannot be loaded; the remote build was seen to take another: deploy the code again
* the identity of the app has Storage Table Data Contributor, and the app reaches the storage account
* calls from here reach it; if they shall not, leave this out: RELAY_ASK=no" taken
}
