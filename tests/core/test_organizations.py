"""Which addresses are one organization's, and which are nobody's."""

from __future__ import annotations

import pytest

from functions.core.kept.organizations import SERVICES, is_known, named, organization

CONTOSO = f"{SERVICES}/contoso"
SERVER = "https://server.example/tfs"


@pytest.mark.parametrize(
    "url",
    [
        "https://dev.azure.com/contoso",
        "https://DEV.Azure.com/Contoso",
        "https://dev.azure.com:443/contoso",
        "https://dev.azure.com/cont%6Fso",
        "https://contoso.visualstudio.com",
        "HTTPS://Contoso.VisualStudio.com",
        "https://contoso.visualstudio.com/DefaultCollection",
        "https://contoso.visualstudio.com:443",
    ],
)
def test_an_organization_has_one_address_whichever_is_given(url: str) -> None:
    assert organization(url) == CONTOSO


@pytest.mark.parametrize(
    "url",
    [
        "",
        "contoso",
        "https://dev.azure.com",
        "https://dev.azure.com/contoso/mlops",
        "https://dev.azure.com/contoso/",
        "https://dev.azure.com//contoso",
        "https://dev.azure.com/./contoso",
        "https://dev.azure.com/fabrikam/../contoso",
        "https://dev.azure.com/%2e%2e",
        "https://dev.azure.com/contoso%2fmlops",
        "https://dev.azure.com/contoso%00",
        "https://dev.azure.com/con%zztoso",
        "https://dev.azure.com/con%ff",
        "https://dev.azure.com/%E2%84%AAontoso",
        "https://dev.azure.com/con_toso",
        "https://dev.azure.com./contoso",
        "https://dev.azure.com:8443/contoso",
        "https://contoso@dev.azure.com/contoso",
        "https://contoso:x@dev.azure.com/contoso",
        "http://dev.azure.com/contoso",
        "https://contoso.dev.azure.com",
        "https://contoso.dev.azure.com/contoso",
        "https://visualstudio.com/contoso",
        "https://.visualstudio.com",
        "https://fabrikam.contoso.visualstudio.com",
        "https://contoso.vssps.visualstudio.com",
        "https://contoso.visualstudio.com.",
        "https://contoso..visualstudio.com",
        "https://-contoso.visualstudio.com/x",
        "https://con_toso.visualstudio.com",
        "https://contoso.visualstudio.com:8443",
        "https://contoso.visualstudio.com/mlops",
        "https://contoso.visualstudio.com/DefaultCollection/mlops",
        "http://contoso.visualstudio.com",
        "https://fabrikam@contoso.visualstudio.com",
        "https://contoso.visualstudio.com?x",
        "https://contoso.visualstudio.com#x",
        "https://contoso.visualstudio.com\n",
        "https://contoso.visualstudio.com\\",
        "ftp://server.example/tfs/contoso",
        "https://server.example",
        "https://server.example/tfs/../contoso",
        "https://server.example:99999999/tfs/contoso",
        f"https://server.example/tfs/{'x' * 65}",
        f"https://{'x' * 2000}/tfs",
    ],
)
def test_what_is_read_two_ways_or_is_more_or_less_is_no_organization(url: str) -> None:
    assert organization(url) == ""
    assert not is_known(organization(url), SERVICES)


@pytest.mark.parametrize(
    "url", ["https://contoso.visualstudio.com.example", "https://xdev.azure.com/a"]
)
def test_a_host_that_only_looks_like_microsofts_is_not_its(url: str) -> None:
    assert not organization(url).startswith(SERVICES)
    assert not is_known(organization(url), SERVICES)


def test_a_collection_is_known_by_its_server_in_any_case() -> None:
    collection = "https://server.example/tfs/my%20collection"
    for url in (collection, "https://SERVER.example:443/TFS/My%20Collection"):
        assert organization(url) == collection
    assert organization("http://server.example:0080/a/b") == "http://server.example/a/b"
    assert organization("http://server.example:8080/a/b") == "http://server.example:8080/a/b"


@pytest.mark.parametrize(
    ("text", "devops_url", "address"),
    [
        ("contoso", SERVICES, CONTOSO),
        ("Contoso", SERVICES, CONTOSO),
        ("dev.azure.com/contoso/", SERVICES, CONTOSO),
        ("contoso.visualstudio.com", SERVICES, CONTOSO),
        ("https://contoso.visualstudio.com/", SERVER, CONTOSO),
        ("Default.Collection", SERVER, f"{SERVER}/default.collection"),
        ("My Collection", SERVER, f"{SERVER}/my%20collection"),
        ("My%20Collection", SERVER, f"{SERVER}/my%20collection"),
        ("server.example/tfs/contoso", SERVER, f"{SERVER}/contoso"),
        ("server.example/tfs/contoso", SERVICES, ""),
        ("server.example/contoso", SERVER, ""),
        ("server.example/tfs/a/contoso", SERVER, ""),
        ("http://server.example/tfs/contoso", SERVER, ""),
        ("*", SERVICES, ""),
        ("", SERVICES, ""),
        ("/", SERVICES, ""),
        ("con/toso", SERVICES, ""),
        ("..", SERVER, ""),
    ],
)
def test_one_is_named_by_its_name_here_or_by_its_address(
    text: str, devops_url: str, address: str
) -> None:
    assert named(text, devops_url) == address


def test_a_name_at_a_server_is_not_the_services_organization_of_that_name() -> None:
    assert named("contoso", SERVER) != CONTOSO
    assert is_known(CONTOSO, SERVER)
    assert not is_known(f"{SERVER}/contoso", SERVICES)
