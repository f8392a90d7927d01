from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.github import GitHub
from tests.local.github.calls import with_repositories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.devops.calls import Clock


@pytest.fixture
def github(clock: Clock) -> Iterator[GitHub]:
    with GitHub(clock=clock) as service:
        yield with_repositories(service)


@pytest.fixture(scope="session")
def key_pair() -> tuple[str, str]:
    """A private key and its public half, both as PEM."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()
