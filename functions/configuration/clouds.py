"""The clouds of Azure, by the names that their command line gives them."""

from __future__ import annotations

from msgspec import Struct


class Cloud(Struct, frozen=True):
    """The public addresses of one Azure cloud.

    https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
    https://learn.microsoft.com/azure/china/resources-developer-guide
    """

    resource_manager: str
    studio: str
    storage_suffix: str
    storage_audience: str


CLOUDS = {
    "AzureCloud": Cloud(
        "https://management.azure.com",
        "https://ml.azure.com",
        "core.windows.net",
        "https://storage.azure.com",
    ),
    "AzureChinaCloud": Cloud(
        "https://management.chinacloudapi.cn",
        "https://studio.ml.azure.cn",
        "core.chinacloudapi.cn",
        "https://storage.azure.cn",
    ),
    "AzureUSGovernment": Cloud(
        "https://management.usgovcloudapi.net",
        "https://ml.azure.us",
        "core.usgovcloudapi.net",
        "https://storage.azure.us",
    ),
}
