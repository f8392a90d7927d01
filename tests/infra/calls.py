"""What is called with a role: who does what, where, and the role that it takes.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

from dataclasses import dataclass

APP, OPERATORS, READERS, TOPIC, ROTATOR = "app", "operators", "readers", "topic", "rotator"
ACCOUNT, VAULT = "Storage/storageAccounts", "KeyVault/vaults"
LETTERS, LEDGER = f"{ACCOUNT}/blobServices/containers", f"{ACCOUNT}/tableServices/tables"
WORKSPACE, LOGS = "MachineLearningServices/workspaces", "OperationalInsights/workspaces"
GROUP = "Resources/resourceGroups"
# roles of our own; Reader stands in place of the first unless customRoles is all
RUN_READER, RUN_TAGGER, OPERATOR = "run reader", "run tagger", "operator"


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
        ACCOUNT,
        "infra/modules/settings.bicep",
        "AzureWebJobsStorage__credential: 'managedidentity'",
    ),
    "the ledger, written by the app": Call(
        APP,
        "storageTableDataContributor",
        ACCOUNT,
        "functions/adapters/tables/rows.py",
        "self.table.create_entity",
    ),
    "parts of rounds, put and taken by the host": Call(
        APP,
        "storageQueueDataContributor",
        ACCOUNT,
        "functions/timers.py",
        "triggers.queue_output",
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
        LETTERS,
        "relay/continuations/letters.py",
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
        VAULT,
        "functions/adapters/vault.py",
        "client.get_secret",
    ),
    "the vault and its roles, seen by the doctor": Call(
        OPERATORS,
        "keyVaultReader",
        VAULT,
        "relay/doctor/azure/rights.py",
        "Microsoft.KeyVault/vaults/read",
    ),
    "the PAT, tried by the doctor": Call(
        OPERATORS,
        "keyVaultSecretsUser",
        VAULT,
        "relay/doctor/azure/vault.py",
        "client.get_secret",
    ),
    "the PAT, stored": Call(
        ROTATOR,
        "keyVaultSecretsOfficer",
        VAULT,
        "infra/README.md",
        "az keyvault secret set",
    ),
    "the run, read by the app": Call(
        APP,
        RUN_READER,
        WORKSPACE,
        "functions/adapters/aml/workspaces.py",
        "def mlflow(",
    ),
    "the run, tagged by the app": Call(
        APP,
        RUN_TAGGER,
        WORKSPACE,
        "functions/adapters/aml/runs.py",
        "/api/2.0/mlflow/runs/set-tag",
    ),
    "an event for each outcome": Call(
        APP,
        "eventGridDataSender",
        "EventGrid/topics",
        "functions/connections.py",
        "EventGridOutcomes(",
    ),
    "runs, read by operators": Call(
        OPERATORS,
        RUN_READER,
        WORKSPACE,
        "relay/doctor/azure/aml.py",
        "workspaces.mlflow(",
    ),
    "subscriptions, seen by the doctor": Call(
        OPERATORS,
        "reader",
        "EventGrid/systemTopics",
        "relay/doctor/azure/topics.py",
        "Microsoft.EventGrid/systemTopics/eventSubscriptions/read",
    ),
    "telemetry, sent": Call(
        APP,
        "monitoringMetricsPublisher",
        "Insights/components",
        "infra/modules/settings.bicep",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    ),
    "logs, read by operators": Call(
        OPERATORS,
        "logAnalyticsReader",
        LOGS,
        "infra/modules/queries.bicep",
        "Microsoft.OperationalInsights/",
    ),
    "logs, read by readers": Call(
        READERS,
        "logAnalyticsReader",
        LOGS,
        "infra/modules/queries.bicep",
        "Microsoft.OperationalInsights/",
    ),
    "the workbook, read by operators": Call(
        OPERATORS,
        "workbookReader",
        GROUP,
        "infra/modules/workbook.bicep",
        "Microsoft.Insights/workbooks@",
    ),
    "the workbook, read by readers": Call(
        READERS,
        "workbookReader",
        GROUP,
        "infra/modules/workbook.bicep",
        "Microsoft.Insights/workbooks@",
    ),
    "settings of the app, read": Call(
        OPERATORS,
        OPERATOR,
        "Web/sites",
        "relay/deployment/deployed.py",
        "config/appsettings/list",
    ),
}
RUNS, MODELS = "functions/adapters/aml/runs.py", "functions/adapters/aml/models/finding.py"
# Each action, and where it is used. AML says what a call of MLflow takes on
# https://learn.microsoft.com/azure/machine-learning/how-to-assign-roles#mlflow-operations
_AML, _WEB = "Microsoft.MachineLearningServices/workspaces", "Microsoft.Web/sites"
OWN_ROLES = {
    OPERATOR: {
        f"{_WEB}/read": "relay/doctor/case.py",
        f"{_WEB}/config/read": "relay/doctor/azure/signin.py",
        f"{_WEB}/config/list/action": "relay/deployment/deployed.py",
        f"{_WEB}/host/listkeys/action": "relay/doctor/app/probe.py",
    },
    RUN_TAGGER: {f"{_AML}/experiments/runs/write": RUNS},
    RUN_READER: {
        f"{_AML}/read": "functions/adapters/aml/workspaces.py",
        f"{_AML}/experiments/read": "functions/adapters/aml/finished/ended.py",
        f"{_AML}/experiments/runs/read": RUNS,
        f"{_AML}/jobs/read": MODELS,
        f"{_AML}/models/read": MODELS,
        f"{_AML}/models/versions/read": MODELS,
        f"{_AML}/metadata/artifacts/read": MODELS,
    },
}
