"""Every setting that the app reads, with values that cannot be meant."""

from __future__ import annotations

from functions.configuration import settings
from functions.configuration.declared import Environment

SECRET = "Zm9vYmFy0123456789secretXYZ"
REFERENCE = f"@Microsoft.KeyVault(VaultName=v;SecretName={SECRET})"
ANYWHERE = (
    REFERENCE,
    f"https://user:{SECRET}@host.example/?sig={SECRET}",
    "\u2603 \x01\u202e",
    "x" * 300,
)
GUID = "00000000-0000-4000-8000-00000000000"  # one digit short
URLS = (
    *("ftp://host.example", "javascript:alert(1)", "file:///etc/passwd", "https://", "https:host"),
    *("https://host.example:99999", "https://host.example:0", "https://host.example:x", "//host"),
    *("https://host.example?a", "https://host.example#a", "https://user@host.example"),
    *("https://host.example\\@evil.example", "https://host .example", "https://[::::]"),
    *("https://a..example", "https://-a.example", "https://\u0430zure.example", '"https://a.b"'),
)
NUMBERS = ("soon", "-1", "0", "nan", "inf", "1e999", "1,5", "20 s")
FLAGS = ("maybe", "2", "-", "wahr")
CONNECTION = f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={SECRET}==;"

WRONG: dict[str, tuple[str, ...]] = {
    "KEY_VAULT_URL": URLS,
    "DEVOPS_PAT_SECRET": ("azure devops pat", "a/b", "a" * 128, "a2" * 26, "https://v/secrets/a"),
    "DEVOPS_AUTH": ("kerberos", "pat,entra"),
    "DEVOPS_URL": (
        *URLS,
        *("https://dev.azure.com/contoso", "https://contoso.visualstudio.com"),
        *("https://contoso.visualstudio.com/DefaultCollection", "http://dev.azure.com"),
        *("dev.azure.com/contoso/mlops", "https://vssps.dev.azure.com", "https://DEV.azure.com/x"),
    ),
    "DEVOPS_API_VERSION": ("7", "v7.1", "7.1.2", "latest"),
    "GITHUB_URL": (*URLS, "https://github.com", "github.com"),
    "GITHUB_SECRET": ("github token", "a/b", "a" * 128, "a2" * 26, "https://v/secrets/a"),
    "GITHUB_APP_ID": ("run-relay", "Iv1", "1" * 13, "Iv23li AbC4dEfGh", GUID),
    "AZURE_CLOUD": ("AzureMoon", "public"),
    "RESOURCE_MANAGER_URL": URLS,
    "AZURE_CLIENT_ID": (GUID, "relay-identity", f"{{{GUID}1}}"),
    "ROUTES_FILE": ("missing.yaml", ".", "routes.yaml/x", "/dev/null"),
    "LEDGER_URL": ("ledger.db", "sqlite://ledger.db", "sqlite:///", "postgres://host.example/db"),
    "LEDGER_TABLE": ("my-table", "1table", "ab", "a" * 64, "tables", "a.b", "täble"),
    "LEDGER_RETENTION_DAYS": NUMBERS,
    "AzureWebJobsStorage": ("UseDevelopment", "AccountName=a", f"AccountKey={SECRET}", SECRET),
    "AzureWebJobsStorage__accountName": ("a", "my_account", "https://a.table.core.windows.net"),
    "AzureWebJobsStorage__tableServiceUri": URLS,
    "AzureWebJobsStorage__clientId": (GUID,),
    "PAUSED": FLAGS,
    "RECONCILE_PARTS": ("0", "65", "1.5", "-4", "many"),
    "RECONCILE_SCHEDULE": ("every minute", "0 0 24 * * *", "0 0 3 31 2 *", "00:00:00", "%NO%"),
    "SWEEP_SCHEDULE": ("@hourly", "0 0 3 ? * *", "0 0 3 * * 7", "-00:05:00", "24:00:00", "60"),
    "SWEEP": ("on", "1"),
    "SWEEP_HOURS": NUMBERS,
    "SWEEP_WORKSPACES": ("ml-prod", "/subscriptions/s/resourceGroups/g"),
    "RETRY_FIRST_SECONDS": NUMBERS,
    "CLAIM_LEASE_SECONDS": NUMBERS,
    "IN_DOUBT_GRACE_SECONDS": NUMBERS,
    "CREDENTIAL_PAUSE_SECONDS": NUMBERS,
    "DELIVERY_DEADLINE_SECONDS": (*NUMBERS, "26"),
    "TAG_RUNS": FLAGS,
    "OUTCOME_TOPIC_ENDPOINT": (*URLS, "http://127.0.0.1:9/api/events"),
    "NOTIFY_HOSTS": ("*", "*.com", "https://hooks.contoso.com", "a..b", "hooks.contoso.com/x"),
    "OPERATIONS_AUTH": ("aad", "none"),
    "WAITS": FLAGS,
    "WAITS_KEY_SECRET": ("correct horse battery staple", "a_b"),
    "WAITS_ORGANIZATIONS": (
        *("*", "con~toso", "..", "https://dev.azure.com", "https://dev.azure.com/contoso/mlops"),
        *("http://dev.azure.com/contoso", "contoso.visualstudio.com.", "dev.azure.com:8443/x"),
        *("https://a.b.visualstudio.com", "https://host.example/contoso", "visualstudio.com/x"),
        *("https://contoso@dev.azure.com/contoso", "https://dev.azure.com\\contoso"),
    ),
    "RELAY_OTEL": FLAGS,
    "APPLICATIONINSIGHTS_CONNECTION_STRING": (
        *(GUID, f"InstrumentationKey={GUID}", f"InstrumentationKey={SECRET};IngestionEndpoint=x"),
        *(f"InstrumentationKey={GUID}1;", "IngestionEndpoint=https://a.example"),
    ),
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": ("Authorization=ADD", "AAD", f"ClientId={GUID}1"),
}
TABLE = {"LEDGER_URL": ""}
STORED = {**TABLE, "AzureWebJobsStorage": f"{CONNECTION}TableEndpoint=http://127.0.0.1:9/d"}
OBSERVED = {"RELAY_OTEL": "1"}
# What else is set, so that the setting counts.
BESIDE: dict[str, dict[str, str]] = {
    "AzureWebJobsStorage": TABLE,
    "AzureWebJobsStorage__accountName": TABLE,
    "AzureWebJobsStorage__tableServiceUri": TABLE,
    "LEDGER_TABLE": STORED,
    "APPLICATIONINSIGHTS_CONNECTION_STRING": OBSERVED,
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": OBSERVED,
}
OF_LEDGER = {"LEDGER_URL", "LEDGER_TABLE", "AzureWebJobsStorage", *BESIDE} - {
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
OF_PLATFORM = {"WEBSITE_SKU", "RUN_RELAY_APP"}  # which Azure and a deployment set themselves


class Recording(dict[str, str]):
    """An environment that notes what it was asked for."""

    def __init__(self, given: dict[str, str]) -> None:
        super().__init__(given)
        self.asked: set[str] = set()

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


def asked(**given: str) -> set[str]:
    """The settings that the app asks such an environment for."""
    environ = Recording(given)
    settings.read(environ)
    for name in vars(Environment):
        if name.endswith(("_schedule", "_entra", "_on", "_parts")) and not name.startswith("_"):
            getattr(Environment(environ), name)()
    return environ.asked


def values(name: str) -> tuple[str, ...]:
    """What cannot be meant by a setting."""
    return (*WRONG[name], *ANYWHERE)
