"""What YAML itself can get wrong, and the exact line that its author reads."""

from __future__ import annotations

import pytest

from tests.routes.files import HEAD, problems, problems_in, routes


def one(value: str) -> str:
    """The only problem with a parameter of that value."""
    (line,) = problems_in(f"""\
        - name: a
          start:
            pipeline: 1
            parameters:
              x: {value}
        """)
    return line


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert problems(text) == [
        "routes.yaml:1: the file is no mapping: it needs `version: 1` and `routes:`"
    ]


@pytest.mark.parametrize("text", ["routes", "- a"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    assert problems(text) == [
        "routes.yaml:1: the file is no mapping: it needs `version: 1` and `routes:`"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes:", "2: routes: must be a list, not empty"),
        ("routes: []", "2: routes: is an empty list: at least one is needed"),
        ("", "1: routes: is required: at least one route, each begins with `- name:`"),
    ],
)
def test_a_file_without_routes_is_refused(text: str, said: str) -> None:
    assert problems(f"version: 1\n{text}") == [f"routes.yaml:{said}"]


def test_routes_that_are_no_list_are_refused() -> None:
    assert problems("version: 1\nroutes: {a: b}") == [
        "routes.yaml:2: routes: must be a list, not a mapping"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2", "`2` is not known; allowed: 1"),
        ("true", "must be a whole number, not true or false"),
        ("'2'", "must be a whole number, not text"),
    ],
)
def test_an_unknown_version_is_refused(text: str, said: str) -> None:
    assert problems(f"version: {text}\nroutes: [{{name: a, complete: true}}]") == [
        f"routes.yaml:1: version: {said}"
    ]


def test_a_missing_version_is_refused() -> None:
    assert problems("routes: [{name: a, complete: true}]") == [
        "routes.yaml:1: version: is required: version of this format: 1"
    ]


def test_an_unknown_key_at_the_top_is_refused() -> None:
    assert problems("version: 1\nroutes: [{name: a, complete: true}]\nroute: []") == [
        (
            "routes.yaml:3: route: is no known key; did you mean routes? "
            "allowed: version, defaults, notify, routes"
        )
    ]


def test_an_unknown_default_is_refused() -> None:
    allowed = "organization, project, secret, follow"
    assert problems("version: 1\ndefaults: {pat: x}\nroutes: [{name: a, complete: true}]") == [
        f"routes.yaml:2: defaults.pat: is no known key; allowed: {allowed}"
    ]


def test_a_key_that_stands_twice_is_refused_with_both_lines() -> None:
    assert problems_in("""\
        - name: a
          start: {pipeline: 1}
          name: b
        """) == ["routes.yaml:6: routes[0].name: stands twice in this mapping, first on line 4"]


def test_on_is_explained() -> None:
    assert problems_in("""\
        - name: a
          on: Completed
          start: {pipeline: 1}
        """) == [
        (
            "routes.yaml:5: routes[0]: `on:` is true or false to YAML 1.1: put it in "
            '"quotes"; a route says `outcome:`, not `on:`'
        )
    ]


@pytest.mark.parametrize("word", ["yes", "No", "on", "OFF"])
def test_a_word_that_yaml_versions_read_differently_is_refused(word: str) -> None:
    assert one(word) == (
        f"routes.yaml:8: routes[0].start.parameters.x: `{word}` is a truth value in YAML 1.1 and "
        'text in YAML 1.2: write true, false or "quotes"'
    )


@pytest.mark.parametrize("number", ["010", "1:30", "0x1F", "1_000", ".inf", ".NaN", "1:30.5"])
def test_a_number_that_yaml_versions_read_differently_is_refused(number: str) -> None:
    assert one(number) == (
        f"routes.yaml:8: routes[0].start.parameters.x: `{number}` is a number that not every YAML "
        'reads alike: write it in decimal or in "quotes"'
    )


@pytest.mark.parametrize("number", ["1e-5", "1E5", "1.0e5", "-.5", "08", "0o17"])
def test_a_text_that_the_newer_yaml_takes_for_a_number_is_warned_of(number: str) -> None:
    """It is passed on as it is written, as it always was."""
    file = f"- name: a\n  start: {{pipeline: 1, correlation: id, parameters: {{x: {number}}}}}\n"
    for text, warned in ((file, True), (file.replace(number, f'"{number}"'), False)):
        found = routes(text)
        assert found.routes[0].start is not None
        assert found.routes[0].start.parameters == {"x": number}
        said = f"`{number}` is text here, and a number in YAML 1.2: write it in decimal or in"
        assert [said in line for line in found.warnings] == [True] * warned


@pytest.mark.parametrize("gate", ["!has(run.tags.a)", "!champion.exists || true", "!x > 0.5"])
def test_a_gate_that_yaml_takes_for_a_tag_is_told_to_want_quotes(gate: str) -> None:
    told = problems_in(f"""\
        - name: a
          when: {gate}
          start: {{pipeline: 1}}
        """)
    assert 'text that begins with `!` is written in "quotes"' in "".join(told)


@pytest.mark.parametrize("tag", ["!secret", "!!binary", "!!python/name:os.system"])
def test_a_tag_is_refused(tag: str) -> None:
    assert one(f"{tag} x") == (
        f"routes.yaml:8: routes[0].start.parameters.x: the tag {tag} is not supported"
        + '; text that begins with `!` is written in "quotes"' * (not tag.startswith("!!"))
    )


def test_a_merge_key_is_refused() -> None:
    assert one("{<<: {a: b}}") == (
        "routes.yaml:8: routes[0].start.parameters.x: `<<:` is not supported: write the keys out, "
        "or use `defaults`"
    )


@pytest.mark.parametrize("key", ["1", "null", "2026-01-01"])
def test_a_key_that_is_no_text_is_refused(key: str) -> None:
    assert one(f"{{{key}: a}}") == (
        f"routes.yaml:8: routes[0].start.parameters.x: `{key}:` is no text: keys are text, put it "
        'in "quotes"'
    )


def test_a_key_that_is_a_list_is_refused() -> None:
    assert one("{? [a] : b}") == (
        "routes.yaml:8: routes[0].start.parameters.x: this key is no text: keys are text, put it "
        'in "quotes"'
    )


def test_a_syntax_error_is_reported_on_its_line() -> None:
    assert problems(HEAD + "  - name: [a\n  - name: b\n") == [
        (
            "routes.yaml:5: the file is no YAML: did not find expected ',' or ']' while parsing a "
            "flow sequence"
        )
    ]


@pytest.mark.parametrize("end", ["{", "{\n", "[\r\n", '"\u2028\x85\r'])
def test_a_file_that_breaks_off_is_refused(end: str) -> None:
    (line,) = problems(f"version: 1\nroutes: {end}")
    assert "the file is no YAML: " in line


def test_a_second_document_is_refused() -> None:
    assert problems("version: 1\n---\nversion: 1\n") == [
        (
            "routes.yaml:2: the file is no YAML: but found another document expected a single "
            "document in the stream"
        )
    ]


def test_control_characters_are_refused() -> None:
    (line,) = problems("version: \x00")

    assert line.startswith("routes.yaml:1: the file is no YAML: ")


def test_aliases_that_multiply_are_refused_before_they_are_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    (line,) = problems("\n".join(lines))

    assert line.endswith("more than 200000 values, aliases counted")


def test_a_file_of_more_than_a_million_characters_is_refused() -> None:
    assert problems("#" * 1_000_001) == [
        "routes.yaml:1: the file is longer than 1000000 characters"
    ]


def test_a_broken_file_does_not_flood_the_log() -> None:
    found = problems_in("\n".join(f"- {{name: r{n}, key{n}: 1}}" for n in range(150)))

    assert len(found) == 101
    assert found[-1] == "routes.yaml: and 50 more problems"


def test_a_mistake_of_a_kind_is_one_line_that_names_the_places_of_the_others() -> None:
    wrong = "\n".join(
        f"- {{name: r{n}, when: run.params.p{n} > {n}, start: {{pipeline: 1}}}}" for n in range(12)
    )
    (found,) = routes(wrong).mistakes

    assert found.startswith("routes.yaml:4: routes[0].when: `run.params.p0 > 0` compares text with")
    assert "; the same: routes[1].when (line 5), routes[2].when (line 6), " in found
    assert found.endswith("routes[8].when (line 12), 3 more")
