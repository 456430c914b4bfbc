"""The published cases come out as published, and the runner says plainly when one does not."""

from __future__ import annotations

import io
import json
import os
import runpy
import subprocess
import sys
from decimal import Decimal

import pytest
from tests.regulations.conftest import ROOT, published

from regulations import vectors
from regulations.core import Citation, OutOfRange
from regulations.vectors import Case, find_operation, load_operations, run_case, run_files, runner

CASES = [case for subject in ("assessment",) for case in published(subject)]


@pytest.mark.parametrize("row", CASES, ids=[row["id"] for row in CASES])
def test_published_case(row, operations):
    case = Case(row["id"], row["rule_set"], row["input"]["op"], row["input"], row["expected"], row["note"])
    failure = run_case(case, operations)
    assert failure is None, str(failure)


def test_there_are_as_many_cases_as_were_published():
    assert len(CASES) == 167
    assert len({row["id"] for row in CASES}) == 167


def test_every_operation_of_assessment_has_a_place_of_law(operations):
    from regulations import assessment

    for key, operation in assessment.OPERATIONS.items():
        if key != ("meta", "resolve_rule_set"):
            assert isinstance(operation.citation, Citation), key


def test_every_operation_has_a_place_of_law(operations):
    without = {key for key, one in operations.items() if not isinstance(getattr(one, "citation", None), Citation)}
    assert without == {("meta", "resolve_rule_set")}


def case(op="double", given=None, expected=4, rule_set="law.a") -> Case:
    return Case("X-01", rule_set, op, {"op": op, **(given or {"n": 2})}, expected, "a note")


def double(given, rule_set):
    return given["n"] * 2


def refuse(given, rule_set):
    raise OutOfRange("too much", citation=Citation("1/2020", 3), got=11)


double.citation = Citation("9/2020", 1)
TABLE = {("law", "double"): double, (None, "refuse"): refuse}


def test_a_case_passes():
    assert run_case(case(), TABLE) is None


@pytest.mark.parametrize(
    ("one", "lines"),
    [
        (
            case(expected=5),
            ["FAILED X-01 (law.a double)", "expected: 5", "got:      4", "citation: 9/2020#1", "a note"],
        ),
        (case(op="halve"), ["unknown operation 'halve' of 'law.a'", "citation: none"]),
        (case(rule_set="other"), ["unknown operation 'double' of 'other'"]),
        (case(op="refuse"), ["out-of-range: too much {'got': 11}", "citation: 1/2020#3"]),
        (case(given={"m": 1}), ["KeyError: 'n'"]),
        (case(expected=4.0), ["got:      4"]),
        (case(given={"n": True}, expected=True), ["got:      2"]),
    ],
)
def test_a_failure_says_what_was_expected_what_came_and_by_which_law(one, lines):
    text = str(run_case(one, TABLE))
    for line in lines:
        assert line in text


def test_a_failure_without_a_note_has_no_note_line():
    assert "note" not in str(run_case(Case("X", "law", "double", {"n": 1}, 9), TABLE))


def test_a_refusal_can_be_expected():
    assert run_case(case(op="refuse", expected={"error": "out-of-range"}), TABLE) is None
    assert run_case(case(op="refuse", expected={"error": "other"}), TABLE) is not None


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ((1, "a"), [1, "a"], True),
        ([1], [1, 2], False),
        ([1, 2], [2, 1], False),
        ({"a": [1], "b": None}, {"b": None, "a": [1]}, True),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        ({"a": 1}, {"a": True}, False),
        (1, True, False),
        (0, None, False),
        ("1", 1, False),
        (Decimal("1.50"), Decimal("1.5"), True),
        ([(1, {"a": (2,)})], [[1, {"a": [2]}]], True),
        ({"a": 1}, [1], False),
    ],
)
def test_results_are_compared_by_value_and_type(got, expected, same):
    assert (
        run_case(case(expected=expected), {("law", "double"): lambda given, rule_set: got}) is None
    ) is same


def test_the_longest_prefix_wins_and_none_fits_every_rule_set():
    table = {("a", "op"): 1, ("a.b", "op"): 2, (None, "op"): 3, ("", "only"): 4}
    assert find_operation(table, "a.b.c", "op") == 2
    assert find_operation(table, "a.c", "op") == 1
    assert find_operation(table, "z", "op") == 3
    assert find_operation(table, "z", "only") == 4
    assert find_operation(table, "z", "none") is None


def write(path, rows) -> str:
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
    return str(path)


GOOD = {
    "id": "N-01",
    "rule_set": "secondary.tt22-2021",
    "input": {"op": "subject_year_average", "term1": "8.0", "term2": "7.9"},
    "expected": "7.9",
    "note": "",
}


def run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    return runner.main(arguments, out=out), out.getvalue()


def test_a_file_never_seen_runs_and_the_last_line_counts(tmp_path):
    name = write(tmp_path / "new.json", [GOOD, {**GOOD, "id": "N-02"}])
    assert run(name) == (0, "2 passed, 0 failed\n")


def test_a_wrong_case_is_printed_and_the_exit_code_is_1(tmp_path):
    name = write(tmp_path / "new.json", [GOOD, {**GOOD, "id": "N-02", "expected": "8.0"}])
    code, text = run(name)
    assert code == 1
    assert "FAILED N-02" in text and 'expected: "8.0"' in text and 'got:      "7.9"' in text
    assert "22/2021/TT-BGDĐT#9.1.b" in text
    assert text.endswith("1 passed, 1 failed\n")


def test_an_unknown_operation_fails(tmp_path):
    name = write(tmp_path / "new.json", [{**GOOD, "input": {"op": "divine"}}])
    code, text = run(name)
    assert code == 1 and "unknown operation 'divine'" in text


def test_a_folder_stands_for_its_files(tmp_path):
    write(tmp_path / "a.json", [GOOD])
    write(tmp_path / "b.json", [GOOD])
    write(tmp_path / "c.txt", "no case")
    assert run(str(tmp_path)) == (0, "2 passed, 0 failed\n")
    (tmp_path / "law" / "vectors").mkdir(parents=True)
    write(tmp_path / "law" / "vectors" / "d.json", [GOOD])
    write(tmp_path / "law" / "data.json", "no case")
    assert run(str(tmp_path)) == (0, "3 passed, 0 failed\n")


def test_a_folder_without_a_case_file_is_no_success(tmp_path):
    code, text = run(str(tmp_path))
    assert code == 1 and f"MALFORMED {tmp_path}" in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON in UTF-8"),
        ('{"id": 1}', "not an array of cases"),
        ("[1]", "case 1 is not an object"),
        ('[{"rule_set": "x"}]', "'id' is missing"),
        ('[{"id": "A", "rule_set": 1}]', "case 1 (A): 'rule_set' is missing or not text"),
        ('[{"id": "A", "rule_set": "x"}]', "'input' with 'op' is missing"),
        ('[{"id": "A", "rule_set": "x", "input": {"op": 1}}]', "'input' with 'op' is missing"),
        ('[{"id": "A", "rule_set": "x", "input": {"op": "o"}}]', "'expected' is missing"),
        ("[" * 100_000, "not JSON in UTF-8"),
        ("", "not JSON in UTF-8"),
        ("null", "not an array of cases"),
        ("[1" + "0" * 6000 + "]", "not JSON in UTF-8"),
        ('[{"id": "A", "rule_set": "x", "input": {"op": "o", "n": NaN}, "expected": 1}]', "NaN is no number"),
        ('[{"id": "A", "rule_set": "x", "input": {"op": "o", "n": 1, "n": 2}, "expected": 1}]', "'n' is said twice"),
    ],
)
def test_a_malformed_file_is_named_and_the_others_still_run(tmp_path, content, said):
    bad = write(tmp_path / "bad.json", content)
    good = write(tmp_path / "good.json", [GOOD])
    code, text = run(bad, good)
    assert code == 1
    assert f"MALFORMED {bad}" in text and said in text
    assert text.endswith("1 passed, 1 failed\n")


def test_a_malformed_case_does_not_hide_the_next_ones(tmp_path):
    name = write(tmp_path / "mixed.json", [{"id": None}, GOOD, 7, {**GOOD, "expected": "0.0"}, GOOD])
    code, text = run(name)
    assert code == 1
    assert "case 1 (without id): 'id' is missing or not text" in text and "case 3 is not an object" in text
    assert text.endswith("2 passed, 3 failed\n")


def test_an_empty_array_has_nothing_to_fail(tmp_path):
    assert run(write(tmp_path / "empty.json", [])) == (0, "0 passed, 0 failed\n")


def test_a_mark_before_the_text_is_no_fault(tmp_path):
    assert run(write(tmp_path / "windows.json", "\ufeff" + json.dumps([GOOD]))) == (0, "1 passed, 0 failed\n")


def test_what_a_case_says_cannot_steer_a_terminal_nor_break_the_run(tmp_path):
    said = '[{"id": "a\\ud800\\u001b[31m", "rule_set": "x", "input": {"op": "o"}, "expected": 1, "note": "\\u0000"}]'
    code, text = run(write(tmp_path / "wild.json", said))
    assert code == 1 and "FAILED a\\ud800\\x1b[31m (x o)" in text and "\\x00" in text
    assert text.endswith("0 passed, 1 failed\n")


def test_an_output_of_few_letters_is_enough(tmp_path):
    buffer = io.BytesIO()
    out = io.TextIOWrapper(buffer, encoding="ascii")
    assert runner.main([write(tmp_path / "new.json", [{**GOOD, "expected": "8.0"}])], out=out) == 1
    out.flush()
    assert b"22/2021/TT-BGD\\u0110T#9.1.b" in buffer.getvalue()


def test_who_closes_the_pipe_sees_no_fault_of_the_program(tmp_path):
    name = write(tmp_path / "new.json", [{**GOOD, "expected": "8.0"}] * 3000)
    read, written = os.pipe()
    os.close(read)
    with os.fdopen(written, "w", encoding="utf-8") as out:
        assert runner.main([name], out=out) == 1


def test_the_cases_that_come_with_the_rules_all_come_out():
    found = vectors.published()
    assert [one.case.id for one in found if one.failure] == []
    assert sum(vectors.rule_sets().values()) == len(found) == len({one.anchor for one in found})
    mine = vectors.cases_of("grad.tt24-2024")
    assert mine and {one.subject for one in mine} == {"graduation"}
    assert str(next(one.citation for one in mine if one.case.op == "graduation_score")) == "24/2024/TT-BGDĐT#44"
    assert vectors.cases_of("grad.tt99-2030") == ()


def test_keys_of_cases_have_names_in_both_languages():
    assert vectors.label_of("grade12") != ("grade12", "grade12")
    assert vectors.label_of("nothing of this name") == ("nothing of this name",) * 2


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path):
    (tmp_path / "latin.json").write_bytes(b'["\xff"]')
    code, text = run(str(tmp_path / "none.json"), str(tmp_path / "latin.json"))
    assert code == 1
    assert "none.json: No such file" in text and "latin.json: not JSON in UTF-8" in text


def test_numbers_with_a_point_come_exact():
    seen = []

    def keep(given, rule_set):
        seen.append(given["n"])
        return given["n"]

    out = io.StringIO()
    path = ROOT.parent / "nowhere"
    assert run_files([], {}, out=out) == (0, 0)
    assert path.exists() is False
    assert (
        run_case(case(given={"n": Decimal("0.1")}, expected=Decimal("0.1")), {("law", "double"): keep})
        is None
    )
    assert seen == [Decimal("0.1")]


def test_a_wrong_call_says_how(tmp_path):
    assert run() == (2, runner.USAGE + "\n")
    assert run("--fast") == (2, runner.USAGE + "\n")
    assert run("--help") == (0, runner.USAGE + "\n")


def test_the_module_runs_from_the_command_line(tmp_path):
    name = write(tmp_path / "new.json", [{**GOOD, "expected": "0.0"}])
    done = subprocess.run(
        [sys.executable, "-m", "regulations.vectors", name],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT.parent), "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"


def subject(folder, name, text):
    package = folder / name
    package.mkdir()
    (package / "__init__.py").write_text(text, encoding="utf-8")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A place where further subjects of law are looked for."""
    import regulations

    monkeypatch.setattr(regulations, "__path__", [str(tmp_path)])
    yield tmp_path
    for name in ("broken_law", "plain_law", "silent_law"):
        sys.modules.pop(f"regulations.{name}", None)


def test_a_broken_subject_is_named_and_one_without_operations_is_fine(elsewhere):
    subject(elsewhere, "broken_law", "import nothing_of_this_name")
    subject(elsewhere, "silent_law", "")
    subject(
        elsewhere, "plain_law", "OPERATIONS = {'say': lambda given, rule_set: rule_set, ('x', 'y'): print}"
    )
    (elsewhere / "module_law.py").write_text("raise RuntimeError", encoding="utf-8")
    said = []
    found = load_operations(report=said.append)
    assert set(found) == {(None, "say"), ("x", "y")}
    assert len(said) == 1 and said[0].startswith(
        "subject broken_law could not be loaded: ModuleNotFoundError"
    )
    assert set(load_operations()) == set(found)


def test_two_subjects_never_answer_the_same_case(elsewhere):
    subject(elsewhere, "plain_law", "OPERATIONS = {'say': print}")
    subject(elsewhere, "silent_law", "OPERATIONS = {(None, 'say'): print}")
    with pytest.raises(ValueError, match="say"):
        load_operations()


def test_the_module_is_a_command(tmp_path, monkeypatch, capsys):
    name = write(tmp_path / "new.json", [GOOD])
    monkeypatch.setattr(sys, "argv", ["regulations.vectors", name])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("regulations.vectors", run_name="__main__")
    assert end.value.code == 0
    assert capsys.readouterr().out == "1 passed, 0 failed\n"
