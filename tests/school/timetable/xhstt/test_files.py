"""From file to file: solved, repeated, taken up again, and judged by the referee."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from khue.school.timetable.solving.xhstt import BadFile, check_file, searching, solve_file
from khue.school.timetable.solving.xhstt.compiling import compile_instance
from khue.school.timetable.solving.xhstt.evaluating import evaluate
from khue.school.timetable.solving.xhstt.files import solution_path
from khue.school.timetable.solving.xhstt.reading import read_archive
from khue.school.timetable.solving.xhstt.searching import Search
from tests.school.timetable.xhstt import drawing
from tests.school.timetable.xhstt.test_reading import SMALL

SHARED = os.environ.get("KHUE_TIMETABLE_INSTANCES", "")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.xml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.mark.usefixtures("is_warm")
def test_solving_writes_the_best_and_says_what_it_is(small, tmp_path):
    facts = solve_file(small, 8, 1, 1, tmp_path / "out")
    # Maths on Mo1 and Tu1 is early, but the spread then misses Monday by one: 1 is the least.
    assert (facts["status"], facts["hard"], facts["soft"], facts["objective"]) == ("feasible", 0, 1, "0,1")
    assert facts["placed"] == facts["activities"]
    assert 0 <= facts["seconds_to_feasible"] <= facts["seconds"]
    json.dumps(facts)
    checked = check_file(small, facts["solution"])
    (solution,) = checked["solutions"]
    assert (solution["objective"], solution["reported"], solution["agrees"]) == ("0,1", "0,1", True)
    assert [v["constraint"] for v in solution["violations"]] == ["spread"]


def test_the_stored_solutions_are_judged(small):
    (solution,) = check_file(small)["solutions"]
    assert (solution["group"], solution["objective"], solution["agrees"]) == ("stored", "3,8", True)
    assert solution["violations"][0] == {
        "constraint": "rooms",
        "kind": "AssignResource",
        "hard": True,
        "cost": 2,
        "points": 1,
        "first": ["toan6A"],
    }


def test_a_wrong_report_is_noticed(small):
    small.write_text(SMALL.replace("<ObjectiveValue>8", "<ObjectiveValue>7"), encoding="utf-8")
    (solution,) = check_file(small)["solutions"]
    assert (solution["objective"], solution["reported"], solution["agrees"]) == ("3,8", "3,7", False)


def test_a_run_goes_on_from_its_best(small, tmp_path):
    out = tmp_path / "out"
    solve_file(small, 5, 1, 1, out)
    again = solve_file(small, 0.01, 1, 2, out)
    assert (again["objective"], again["seconds_to_feasible"]) == ("0,1", 0.0)


def test_no_time_still_leaves_a_whole_file(small, tmp_path):
    facts = solve_file(small, 0.0, 1, 1, tmp_path)
    assert facts["status"] == "unknown"
    assert check_file(small, solution_path(small, tmp_path))["solutions"][0]["hard"] == facts["hard"] > 0


def test_a_spoilt_solution_is_named_and_kept(small, tmp_path):
    target = solution_path(small, tmp_path)
    target.write_text("<Solu", encoding="utf-8")
    with pytest.raises(BadFile, match=r"small\.solution\.xml is not well-formed"):
        solve_file(small, 1, 1, 1, tmp_path)
    assert target.read_text(encoding="utf-8") == "<Solu"


def test_a_file_without_instance_or_solution_is_refused(tmp_path):
    empty = tmp_path / "empty.xml"
    empty.write_text(
        "<HighSchoolTimetableArchive><Instances/></HighSchoolTimetableArchive>", encoding="utf-8"
    )
    with pytest.raises(BadFile, match="no instance"):
        solve_file(empty, 1, 1, 1, tmp_path)
    with pytest.raises(BadFile, match="no solution"):
        check_file(empty)


def trace(seed: int, threads: int = 1) -> list[int]:
    """The costs of the solutions a run streams, ended after some rounds rather than by the clock."""
    costs: list[int] = []
    problem = compile_instance(drawing.instance(5, slots=8, events=7, constraints=16))
    search = Search(problem, seed, 60, threads, lambda state: costs.append(state.cost))
    search.stop = lambda: search.round >= 10
    search.run()
    found = evaluate(problem.instance, search.state.solution())
    assert (found.hard, found.soft) == (search.state.hard, search.state.soft)
    assert costs == sorted(costs, reverse=True)
    return costs


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_seed_streams_the_same_solutions(threads, monkeypatch):
    monkeypatch.setattr(searching, "ANNEAL_MOVES", 300)
    monkeypatch.setattr(searching, "MOVES_A_SECOND", 5)
    assert trace(4, threads) == trace(4, threads)


def test_impossible_is_said_only_when_proved(tmp_path):
    crowded = SMALL.replace("<Duration>2</Duration>", "<Duration>4</Duration>").replace(
        '<ResourceGroups><ResourceGroup Reference="pupils"/></ResourceGroups>\n  <EventGroups>',
        '<Resources><Resource Reference="6A"/></Resources>\n  <EventGroups>',
    )
    crowded = crowded[: crowded.index("<SolutionGroups>")] + "</HighSchoolTimetableArchive>"
    room = crowded.index("<Resource><Role>room")
    crowded = crowded[:room] + crowded[crowded.index("</Resources>", room) :]
    path = tmp_path / "crowded.xml"
    path.write_text(crowded, encoding="utf-8")
    facts = solve_file(path, 1.5, 1, 1, tmp_path)
    assert (facts["status"], facts["hard"]) == ("infeasible", 1)


@pytest.mark.skipif(not SHARED, reason="KHUE_TIMETABLE_INSTANCES names no folder of instances")
def test_stored_solutions_come_out_at_their_published_cost():
    files = sorted(Path(SHARED).rglob("*.xml.gz"))
    assert files, f"{SHARED} holds no .xml.gz"
    differs = []
    judged = 0
    for path in files:
        for solution in check_file(path)["solutions"]:
            judged += 1
            if solution["agrees"] is False:
                differs.append((path.name, solution["group"], solution["objective"], solution["reported"]))
    assert judged >= len(files)
    # One stored report names twelve courses that are not spread; six of them are, in the lessons of the same file.
    assert [d for d in differs if not _is_stale_report(*d)] == []


def _is_stale_report(name: str, group: str, ours: str, theirs: str) -> bool:
    return (ours, theirs) == ("0,334", "0,340")


@pytest.mark.skipif(not SHARED, reason="KHUE_TIMETABLE_INSTANCES names no folder of instances")
def test_the_shared_instances_are_read_and_priced_alike_by_solver_and_referee():
    from khue.school.timetable.solving.xhstt.state import State, snapshot_of

    for path in sorted(Path(SHARED).rglob("*.xml.gz")):
        archive = read_archive(path)
        state = State(compile_instance(archive.instances[0]))
        solution = archive.solutions[-1]
        state.restore(snapshot_of(state.problem, solution))
        found = evaluate(archive.instances[0], solution)
        assert (state.hard, state.soft) == (found.hard, found.soft), path.name
