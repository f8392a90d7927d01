"""What the words for a job's status mean to somebody who waits for its end.

Azure Machine Learning's own words, and MLflow's for the same run:
https://learn.microsoft.com/javascript/api/@azure/arm-machinelearning/knownjobstatus
https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
"""

from __future__ import annotations

from typing import NamedTuple

from functions.adapters.aml.answers import OUTCOMES
from functions.core.terms.words import Outcome
from functions.core.texts.bounds import bounded

# NotResponding, Paused and Unknown are neither: any other status may follow them.
_GOES_ON = frozenset(
    {
        *("NotStarted", "Scheduled", "Starting", "Provisioning", "Preparing", "Queued"),
        *("Running", "Finalizing", "CancelRequested"),
        *("SCHEDULED", "RUNNING"),
    }
)
_ENDS = {
    "Completed": Outcome.COMPLETED,
    "Failed": Outcome.FAILED,
    "Canceled": Outcome.CANCELED,
    **OUTCOMES,
}


class Status(NamedTuple):
    """A status in the service's own word; no word at all is the empty text."""

    word: str

    @property
    def outcome(self) -> Outcome | None:
        """How the run ended: Completed, Failed or Canceled. None where it goes on or is unclear."""
        return _ENDS.get(self.word)

    @property
    def is_clear(self) -> bool:
        """Whether this says that the run ended, or that it goes on."""
        return self.word in _ENDS or self.word in _GOES_ON

    def __str__(self) -> str:
        return self.word or "no status"


def status(word: object) -> Status:
    """The status that a service sent, whatever that was."""
    return Status(bounded(word, 50) if isinstance(word, str) else "")
