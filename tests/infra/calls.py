"""What is called with a role: who does what, where, and the role that it takes.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

from dataclasses import dataclass

APP, OPERATORS, READERS = "appPrincipalId", "operatorsGroupId", "readersGroupId"
GROUPS, TOPIC, ROTATOR = "groupId", "principalId", "rotatorId"
LETTERS, LEDGER = "account::blobs::letters", "account::tables::ledger"
# a role of our own, or Reader in its place
RUN_READER, RUN_TAGGER, OPERATOR = "reader or run reader", "run tagger", "operator"


@dataclass(frozen=True)
class Call:
    """What somebody does, the role that it takes, and the file and words where it is done."""

    who: str
    role: str
    on: str
    file: str
    words: str


CALLS = {
    "the host's locks and keys, and the package": Call(
        APP,
        "storageBlobDataOwner",
        "account",
        "infra/modules/settings.bicep",
        "AzureWebJobsStorage__credential: 'managedidentity'",
    ),
    "the ledger, written by the app": Call(
        APP,
        "storageTableDataContributor",
        "account",
        "functions/adapters/tables/rows.py",
        "self.table.create_entity",
    ),
    "the ledger, written by operators": Call(
        OPERATORS,
        "storageTableDataContributor",
        LEDGER,
        "functions/adapters/tables/rows.py",
        "self.table.upsert_entity",
    ),
    "the ledger, read": Call(
        READERS,
        "storageTableDataReader",
        LEDGER,
        "functions/adapters/tables/rows.py",
        "self.table.query_entities",
    ),
    "dead letters, read": Call(
        OPERATORS,
        "storageBlobDataReader",
        "account::blobs::deadLetters",
        "relay/letters.py",
        "class Container",
    ),
    "dead letters, written": Call(
        TOPIC,
        "storageBlobDataContributor",
        LETTERS,
        "infra/modules/subscriptions.bicep",
        "deadLetterWithResourceIdentity",
    ),
    "the PAT, read by the app": Call(
        APP,
        "keyVaultSecretsUser",
        "vault",
        "functions/adapters/vault.py",
        "client.get_secret",
    ),
    "the vault and its roles, seen by the doctor": Call(
        OPERATORS,
        "keyVaultReader",
        "vault",
        "relay/doctor/rights.py",
        "Microsoft.KeyVault/vaults/read",
    ),
    "the PAT, tried by the doctor": Call(
        OPERATORS,
        "keyVaultSecretsUser",
        "vault",
        "relay/doctor/vault.py",
        "client.get_secret",
    ),
    "the PAT, stored": Call(
        ROTATOR,
        "keyVaultSecretsOfficer",
        "vault",
        "infra/README.md",
        "az keyvault secret set",
    ),
    "the run, read by the app": Call(
        APP,
        RUN_READER,
        "workspace",
        "functions/adapters/aml/workspaces.py",
        "def mlflow(",
    ),
    "the run, tagged by the app": Call(
        APP,
        RUN_TAGGER,
        "workspace",
        "functions/adapters/aml/runs.py",
        "/api/2.0/mlflow/runs/set-tag",
    ),
    "an event for each outcome": Call(
        APP,
        "eventGridDataSender",
        "outcomes",
        "functions/connections.py",
        "EventGridOutcomes(",
    ),
    "runs, read by operators": Call(
        OPERATORS,
        RUN_READER,
        "workspace",
        "relay/doctor/aml.py",
        "workspaces.mlflow(",
    ),
    "subscriptions, seen by the doctor": Call(
        OPERATORS,
        "reader",
        "topic",
        "relay/doctor/topics.py",
        "Microsoft.EventGrid/systemTopics/eventSubscriptions/read",
    ),
    "telemetry, sent": Call(
        APP,
        "monitoringMetricsPublisher",
        "insights",
        "infra/modules/settings.bicep",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    ),
    "logs, read": Call(
        GROUPS,
        "logAnalyticsReader",
        "logs",
        "infra/modules/queries.bicep",
        "Microsoft.OperationalInsights/",
    ),
    "the workbook, read": Call(
        GROUPS,
        "workbookReader",
        "",
        "infra/modules/workbook.bicep",
        "Microsoft.Insights/workbooks@",
    ),
    "settings of the app, read": Call(
        OPERATORS,
        OPERATOR,
        "app",
        "relay/deployed.py",
        "config/appsettings/list",
    ),
}
RUNS, MODELS = "functions/adapters/aml/runs.py", "functions/adapters/aml/models.py"
# Each action, and where it is used. AML says what a call of MLflow takes on
# https://learn.microsoft.com/azure/machine-learning/how-to-assign-roles#mlflow-operations
OWN_ROLES = {
    "modules/operator-role.bicep": {
        "Microsoft.Web/sites/read": "relay/doctor/case.py",
        "Microsoft.Web/sites/config/read": "relay/doctor/signin.py",
        "Microsoft.Web/sites/config/list/action": "relay/deployed.py",
        "Microsoft.Web/sites/host/listkeys/action": "relay/doctor/probe.py",
    },
    "modules/run-tagger.bicep": {
        "Microsoft.MachineLearningServices/workspaces/experiments/runs/write": RUNS,
    },
    "modules/workspace-roles.bicep": {
        "${provider}/read": "functions/adapters/aml/workspaces.py",
        "${provider}/experiments/read": "functions/adapters/aml/ended.py",
        "${provider}/experiments/runs/read": RUNS,
        "${provider}/jobs/read": MODELS,
        "${provider}/models/read": MODELS,
        "${provider}/models/versions/read": MODELS,
        "${provider}/metadata/artifacts/read": MODELS,
    },
}
