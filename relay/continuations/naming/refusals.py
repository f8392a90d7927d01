"""Why a pipeline run is not taken as a continuation's own."""

from functions.core.terms.errors import RelayError


class NotIts(RelayError):
    """The pipeline run is none, or another one's; the message says what it is."""


class Unknown(RelayError):
    """The service could not be asked, or gave no usable answer."""
