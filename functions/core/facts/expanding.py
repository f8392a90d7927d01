"""What no text may hold that is sent: it would be expanded or obeyed after all conditions."""

from __future__ import annotations

import re
from typing import Final

OF_PIPELINES: Final = {
    "$(": "which the agent of Azure Pipelines would replace by a variable",
    "$[": "which Azure Pipelines may evaluate as an expression",
    "##vso[": "which the agent of Azure Pipelines would obey where it is printed",
}
"""What is expanded or obeyed after a pipeline's own conditions looked at its parameters.

Variables are secrets, too, and what a run sends is whatever its author wrote there.
https://learn.microsoft.com/azure/devops/pipelines/process/variables#understand-variable-syntax
https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
"""
OF_WORKFLOWS: Final = {
    "$(": "which a shell would run where a script spells the input out",
    "##[": "which GitHub's runner would obey where it is printed",
}
"""The same of a workflow's inputs, which GitHub itself expands once.

https://docs.github.com/actions/concepts/security/script-injections
"""
_COMMAND = re.compile(r"(?:^|[\r\n])[^\S\r\n]*(::[a-z-]+)[ :]", re.IGNORECASE)  # at a line's start
"""https://docs.github.com/actions/reference/workflow-commands-for-github-actions"""


def expanded(text: str, *, github: bool = False) -> str:
    """What the text (or JSON text) holds that is never sent, in words; empty where nothing."""
    known = OF_WORKFLOWS if github else OF_PIPELINES
    if found := next((one for one in known if one in text), None):
        return f"holds `{found}`, {known[found]}"
    if github and (told := _COMMAND.search(text)):
        return f"holds `{told[1][:40]}`, {OF_WORKFLOWS['##[']}"
    return ""
