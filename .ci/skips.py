"""Fails a test run that skipped something nobody allowed it to skip.

    python .ci/skips.py JUNIT_XML [ALLOWED]

ALLOWED holds comma-separated texts; a skip is allowed if its reason contains one of them. Prints
every skip, then one closing line. Exit code 1 if one was not allowed or no test ran at all.
"""

from __future__ import annotations

import sys
from typing import NamedTuple
from xml.etree import ElementTree as ET

EXPECTED = "pytest.xfail"  # a failure that was expected is reported as a skip of this type
# pytest's own words for a module that was skipped while it was collected: the text says why
COLLECTION = "collection skipped"


class Skip(NamedTuple):
    """A test that did not run, and why."""

    test: str
    reason: str

    def allowed_by(self, texts: list[str]) -> bool:
        """Whether one of the texts names its reason."""
        return any(text in self.reason for text in texts)


def skips(cases: list[ET.Element]) -> list[Skip]:
    """The skips among the cases of a JUnit report, in its order."""
    found = ((case, element) for case in cases for element in case.findall("skipped"))
    return [
        Skip(f"{case.get('classname')}.{case.get('name')}".strip("."), reason(element))
        for case, element in found
        if element.get("type") != EXPECTED
    ]


def reason(element: ET.Element) -> str:
    """Why a test was skipped, as its author wrote it."""
    said = element.get("message", "")
    return (element.text or "").strip() if said == COLLECTION else said


def failed(case: ET.Element) -> bool:
    """Whether a case failed or could not be set up or torn down."""
    return case.find("failure") is not None or case.find("error") is not None


def main(report: str, allowed: str = "") -> int:
    """Judge a report; the exit code."""
    texts = [text.strip() for text in allowed.split(",") if text.strip()]
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - pytest wrote it
    skipped = skips(cases)
    for skip in skipped:
        verdict = "allowed" if skip.allowed_by(texts) else "NOT ALLOWED"
        print(f"skipped ({verdict}): {skip.test}: {skip.reason}")
    failures = sum(failed(case) for case in cases)
    passed = len(cases) - failures - len(skipped)
    print(f"tests: {passed} passed, {failures} failed, {len(skipped)} skipped")
    unforeseen = [skip for skip in skipped if not skip.allowed_by(texts)]
    return 1 if unforeseen or not passed + failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
