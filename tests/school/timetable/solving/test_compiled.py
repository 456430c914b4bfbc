"""The compiled loops: they count as the plain ones do, break nothing, repeat themselves, and load only where they are used."""

import ast
import random
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

import khue
from khue.school.timetable.solving import checking, desk, ordinary, running, swapping
from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.annealing import Annealer
from khue.school.timetable.solving.compiling import SCALE, compiled
from khue.school.timetable.solving.placing import Board
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.rules import soft_weeks, weeks
from khue.school.timetable.solving.state import State
from khue.school.timetable.solving.swapping import KINDS, Swapper
from tests.school.timetable.solving.schools import four_lessons

LAN = m.Who("teachers", ("Lan",))


def _made(problem, seed=1):
    rng = random.Random(seed)
    c = compiled(problem)
    relations = Relations(c)
    return c, Board(c, relations, rng), relations, rng


def _swapped(problem, seed, calls=50_000, stop=lambda: False, start=None):
    c, board, relations, rng = _made(problem, seed)
    swapper = Swapper(c, board, relations, rng)
    if start is not None:
        swapper.load(start)
    return swapper.run(monotonic() + 60, calls, stop), swapper.state(), c, swapper


@pytest.mark.parametrize("is_soft", [False, True])
@pytest.mark.parametrize(
    "rule",
    [
        {"kind": m.MaxDays, "most": 1},
        {"kind": m.MaxDays, "most": 1, "per": "date"},
        {"kind": m.MaxDays, "most": 1, "per": "afternoon"},
        {"kind": m.MinDays, "least": 2},
        {"kind": m.MinDays, "least": 2, "per": "date"},
        {"kind": m.MinDays, "least": 2, "per": "morning"},
        {"kind": m.IntervalMaxDays, "first": 1, "last": 3, "most": 1},
        {"kind": m.MaxGaps, "most": 1},
        {"kind": m.MaxGaps, "most": 1, "half": 1},
        {"kind": m.MaxGaps, "most": 1, "per": "day"},
        {"kind": m.MaxGaps, "most": 1, "per": "date"},
        {"kind": m.MaxHours, "most": 2},
        {"kind": m.MaxHours, "most": 3, "per": "date"},
        {"kind": m.MaxHours, "most": 3, "per": "week"},
        {"kind": m.MaxContinuous, "most": 2},
        {"kind": m.MaxSpan, "most": 2},
        {"kind": m.MaxSpan, "most": 3, "per": "date"},
        {"kind": m.MinHours, "least": 2},
        {"kind": m.MinHours, "least": 3, "per": "date"},
        {"kind": m.MinHours, "least": 2, "per": "morning", "may_be_empty": False},
        {"kind": m.EarlyStart, "most": 1},
        {"kind": m.EarlyStart, "most": 0, "half": 0},
        {"kind": m.MinRestAtNoon, "least": 2},
        {"kind": m.MaxFullDates, "most": 1},
    ],
    ids=lambda rule: "-".join(str(getattr(its, "__name__", its)) for its in rule.values()) if isinstance(rule, dict) else str(rule),
)
def test_a_rule_counts_the_same_in_both_forms(rule, is_soft):
    from khue.school.timetable.solving import week_loops

    facts = dict(rule)
    kind = facts.pop("kind")
    shut = m.Unavailable(who=LAN, slots=frozenset({(0, 1), (3, 0)}))
    problem = four_lessons(kind(who=LAN, weight=50.0 if is_soft else 100.0, **facts), shut)
    c, board, relations, rng = _made(problem)
    its = desk.Desk(c, board, relations, rng, priced=True)
    w = len(board.weeks) if is_soft else 0
    week = (soft_weeks(c) if is_soft else weeks(c)[0])[0]
    dice, days = random.Random(7), len(problem.days)
    compared = 0
    for _ in range(60):
        masks = [dice.randrange(16) & dice.randrange(16) for _ in range(days)]
        its.part(desk.MASK)[w * days : (w + 1) * days] = masks
        for n, rule_field in enumerate(week.fields):
            f = int(its.part(desk.FIELD_PTR)[w]) + n
            for date, first in enumerate(its.first_days):
                last = [*its.first_days, days][date + 1]
                mask = sum(masks[d] << (d - first) * c.height for d in range(first, last))
                row, base = int(its.cells[desk.FIELD]) + f * desk.FIELD_CELLS, int(its.cells[desk.MASK]) + w * days
                assert week_loops.measure(its.cells, row, w, date, base) == rule_field.counts[date](mask)
                compared += 1
    assert compared >= 120


def test_masks_are_counted_as_python_counts_them():
    from khue.school.timetable.solving import week_loops

    dice = random.Random(5)
    for mask in (0, 1, 1 << 29, (1 << 30) - 1, *(dice.getrandbits(30) & dice.getrandbits(30) for _ in range(200))):
        bits = f"{mask:b}"
        assert week_loops._ones(mask) == mask.bit_count()
        assert week_loops._high(mask) == mask.bit_length()
        assert week_loops._low(mask) == (mask & -mask).bit_length() - (mask > 0)
        assert week_loops._longest(mask) == max(map(len, bits.split("0")))


@pytest.mark.parametrize("height", [14, 22, 30])
def test_a_day_may_have_many_periods(height):
    classes = tuple(f"L{n}" for n in range(3))
    lessons = tuple(m.Activity(f"{name}{n}", (f"T{n % 7}",), (name,)) for name in classes for n in range(height * 2 - 4))
    rules = (m.MaxGaps(who=m.GROUPS, most=0), m.MaxHours(who=m.TEACHERS, most=height // 2), m.MaxContinuous(who=m.TEACHERS, most=4))
    days = tuple(m.Day(f"Thứ {d + 2}", d) for d in range(2))
    periods = tuple(map(str, range(1, height + 1)))
    problem = m.Problem("Ngày dài", days, periods, lessons, tuple(f"T{n}" for n in range(7)), {name: (name,) for name in classes}, constraints=rules)
    done, state, c, _ = _swapped(problem, 1)
    assert done
    assert checking.check(problem, running.solution_of(c, state)).is_feasible


@pytest.mark.parametrize("has_halves", [True, False])
@pytest.mark.parametrize(
    "rule",
    [
        m.MaxConsecutiveDays(who=LAN, most=1),
        m.MaxConsecutiveDays(who=LAN, most=3),
        m.MaxConsecutiveDays(who=LAN, most=2, from_noon=True),
        m.MinRest(who=LAN, least=4),
        m.MinRest(who=LAN, least=3, circular=True),
        m.MaxSpan(who=LAN, most=2, one_longer_day=True),
        m.MaxSpan(who=LAN, most=3, one_longer_day=True, per="date"),
    ],
    ids=lambda rule: type(rule).__name__ if isinstance(rule, m.Constraint) else str(rule),
)
def test_a_rule_on_several_dates_counts_what_the_check_counts(rule, has_halves):
    from khue.school.timetable.solving import week_loops

    days = tuple(m.Day(f"N{d}", d // 2 if has_halves else d, d % 2 if has_halves else 0) for d in range(6))
    lessons = tuple(m.Activity(f"{d}{h}", ("Lan",), ()) for d in range(6) for h in range(4))
    problem = m.Problem("Trường thử", days, tuple("1234"), lessons, ("Lan",), {}, constraints=(rule,))
    c, board, relations, rng = _made(problem)
    its = desk.Desk(c, board, relations, rng)
    assert int(its.cells[desk.HARD_WEEKS]) == int(its.cells[desk.WEEKS]) == 1
    dice, broken = random.Random(3), 0
    for _ in range(200):
        masks = [dice.randrange(16) & dice.randrange(16) if dice.random() < 0.8 else 0 for _ in days]
        timetable = {f"{d}{h}": m.Placement(d, h) for d, mask in enumerate(masks) for h in range(4) if mask >> h & 1}
        report = checking.check(problem, timetable)
        units = sum(violation.units for violation in report.violations if violation.kind == type(rule).__name__)
        its.part(desk.MASK)[:] = masks
        rows, base = int(its.cells[desk.FIELD]), int(its.cells[desk.MASK])
        assert {week_loops.measure(its.cells, rows, 0, date, base) for date in range(len(its.first_days))} == {units}
        broken += units > 0
    assert 5 < broken < 195, "both happen"


@pytest.mark.parametrize("rule", [{"kind": m.MaxConsecutiveDays, "most": 2}, {"kind": m.MinRest, "least": 7}])
def test_a_rule_on_several_dates_holds_on_every_board_placing_leaves(rule):
    facts = dict(rule)
    base = ordinary.school(6, sessions=1, seed=3)
    names = tuple(base.teachers[:4])
    bound = facts.pop("kind")(who=m.Who("teachers", names), **facts)
    problem = replace(base, constraints=(*base.constraints, bound))
    c, board, relations, rng = _made(problem)
    assert board.unsaid == [bound]
    swapper = Swapper(c, board, relations, rng)
    for _ in range(5):
        done = swapper.run(monotonic() + 60, 4_000, lambda: False)
        report = checking.check(problem, running.solution_of(c, swapper.state()))
        assert type(bound).__name__ not in {violation.kind for violation in report.violations}
        if done:
            break
    assert report.placed > 0.9 * report.activities


@pytest.mark.parametrize("sessions", [1, 2])
def test_swapping_places_a_school_and_breaks_nothing(sessions):
    problem = ordinary.school(8, sessions=sessions, seed=3)
    done, state, c, swapper = _swapped(problem, 1)
    report = checking.check(problem, running.solution_of(c, state))
    assert done
    assert report.is_feasible
    assert report.placed == report.activities
    assert swapper.rounds >= len(c.members)


@pytest.mark.parametrize("kind", [replace(kind, later=(later,)) for kind in KINDS for later in kind.later])
def test_each_kind_of_lane_places_a_school(kind):
    problem = ordinary.school(8, sessions=2, seed=3)
    c, board, relations, rng = _made(problem)
    swapper = Swapper(c, board, relations, rng, [kind])
    assert swapper.run(monotonic() + 60, 50_000, lambda: False)
    assert swapper.lanes[0].tries == 1
    assert checking.check(problem, running.solution_of(c, swapper.state())).is_feasible


def _crowded():
    """Eight lessons of one class that has six periods."""
    keys = tuple(f"x{n}" for n in range(8))
    return m.Problem(
        "Tám tiết trong sáu",
        tuple(m.Day(f"Thứ {d + 2}", d) for d in range(2)),
        tuple("123"),
        tuple(m.Activity(key, (f"T{n}",), ("L",)) for n, key in enumerate(keys)),
        tuple(f"T{n}" for n in range(8)),
        {"L": ("L",)},
    )


def test_lanes_have_turns_by_their_shares_and_go_on_where_they_ended():
    c, board, relations, rng = _made(_crowded())
    swapper = Swapper(c, board, relations, rng)
    units = len(c.members)
    assert not swapper.run(monotonic() + 60, 80 * swapping.TURN * units, lambda: False)
    turns = [lane.rounds / (swapping.TURN * units) / lane.kind.share for lane in swapper.lanes]
    assert max(turns) - min(turns) < 2.5
    assert swapper.lanes[0].tries > 1, "short tries begin anew"
    assert [lane.tries for lane in swapper.lanes[1:]] == [1, 1], "broad ones go on"
    assert len(swapper.state().starts) == max(lane.most for lane in swapper.lanes) < units


def test_threads_have_lanes_of_their_own_and_find_the_same_each_time():
    c, board, relations, rng = _made(_crowded())
    swapper = Swapper(c, board, relations, rng, threads=3)
    assert not swapper.run(monotonic() + 60, 8 * swapping.TURN * len(c.members), lambda: False)
    assert [[lane.kind for lane in group] for group in swapper.groups] == [list(KINDS), [swapping.NEXT], [swapping.NEXT]]
    assert {sum(lane.rounds for lane in group) // len(c.members) // swapping.TURN for group in swapper.groups} <= {8, 9}
    problem = ordinary.school(8, sessions=2, seed=3)

    def placed():
        c, board, relations, rng = _made(problem)
        swapper = Swapper(c, board, relations, rng, [swapping.LAST], threads=2)
        assert swapper.run(monotonic() + 60, 50_000, lambda: False)
        return c, swapper.state(), swapper.rounds

    (c, state, rounds), (_, again, as_many) = placed(), placed()
    assert (state, rounds) == (again, as_many)
    assert checking.check(problem, running.solution_of(c, state)).is_feasible


def test_the_same_seed_swaps_the_same_way_and_a_stop_is_heard():
    problem = ordinary.school(8, seed=3)
    one, two, other = (_swapped(problem, seed)[1] for seed in (1, 1, 2))
    assert one == two
    assert one != other
    done, state, _, swapper = _swapped(problem, 1, stop=lambda: True)
    assert not done
    assert swapper.rounds == 0
    assert state == State()


def test_swapping_goes_on_from_what_is_there():
    problem = ordinary.school(8, seed=3)
    _, whole, c, _ = _swapped(problem, 1)
    part = State({u: s for u, s in whole.starts.items() if u % 5}, dict(whole.rooms))
    done, state, _, swapper = _swapped(problem, 4, start=part)
    assert done
    assert swapper.rounds < 5 * len(c.members)
    assert sum(state.starts[u] == s for u, s in part.starts.items()) > len(part.starts) // 2


def test_crowded_rooms_and_groups_are_kept():
    rooms = (m.Room("Lab"), m.Room("Sân", holds=2))
    keys = tuple(f"x{n}" for n in range(12))
    problem = m.Problem(
        "Phòng chật",
        tuple(m.Day(f"Thứ {d + 2}", d) for d in range(3)),
        tuple("1234"),
        tuple(m.Activity(key, (f"T{n}",), (f"L{n}",)) for n, key in enumerate(keys)),
        tuple(f"T{n}" for n in range(12)),
        {f"L{n}": (f"L{n}",) for n in range(12)},
        rooms=rooms,
        constraints=(
            m.PrefersRooms(activities=keys[:8], rooms=("Sân",)),
            m.PrefersRooms(activities=keys[8:], rooms=("Lab",)),
            m.MaxSlotsUsed(activities=keys[:8], slots=frozenset((d, h) for d in range(3) for h in range(4)), most=4),
            m.MaxTogether(activities=keys, slots=frozenset({(0, 0)}), most=1),
            m.MaxADay(activities=keys[8:], most=2),
        ),
    )
    for seed in range(5):
        done, state, c, _ = _swapped(problem, seed)
        assert done
        assert checking.check(problem, running.solution_of(c, state)).is_feasible


@pytest.mark.parametrize("sessions", [1, 2])
def test_annealing_prices_as_the_check_does_and_breaks_nothing(sessions):
    problem = ordinary.school(8, sessions=sessions, seed=3)
    _, state, c, _ = _swapped(problem, 1)
    _, board, relations, rng = _made(problem)
    before = checking.check(problem, running.solution_of(c, state)).cost
    annealer = Annealer(c, board, relations, rng)
    assert annealer.load(state)
    assert annealer.cost() == pytest.approx(before * SCALE)
    found, cost = annealer.run(60_000, SCALE, SCALE * 0.05, monotonic() + 60, lambda: False)
    report = checking.check(problem, running.solution_of(c, found))
    assert report.is_feasible
    assert cost == pytest.approx(report.cost * SCALE)
    assert report.cost < before / 2
    assert annealer.run(60_000, SCALE, SCALE * 0.05, monotonic() + 60, lambda: True)[1] == annealer.cost(), "a stop is heard at once"


def test_every_thread_anneals_for_itself_and_the_cheapest_end_is_kept():
    problem = ordinary.school(8, seed=3)
    _, state, c, _ = _swapped(problem, 1)
    run = running._Run(problem, 60, 3, 1, None, lambda: False)
    run.c, run.relations = c, Relations(c)
    run.board = Board(c, run.relations, run.rng)
    before = run._look(state)
    _, after, _ = run._polish(state, before, 2_000)
    ends = [int(annealer.cells[desk.MOST]) for annealer in run.annealers]
    assert len(ends) == 3
    assert len(set(ends)) > 1, "they go different ways"
    assert after.hard == after.missing == 0
    assert after.cost == pytest.approx(min(ends) / SCALE)
    assert after.cost < before.cost


def test_what_no_array_says_is_placed_in_plain_python(monkeypatch):
    def unsayable(*_args, **_facts):
        raise desk.Unsayable("for the test")

    monkeypatch.setattr("khue.school.timetable.solving.swapping.Desk", unsayable)
    monkeypatch.setattr("khue.school.timetable.solving.annealing.Desk", unsayable)
    monkeypatch.setattr(running, "FIRST_ROUNDS", 10)
    problem = ordinary.school(4, seed=3)
    looks = iter(range(10_000))
    result = running.run(problem, seconds=60, threads=1, seed=1, start={}, progress=None, stop=lambda: next(looks) > 200)
    assert result.status == "feasible"
    assert result.best.placed == len(problem.activities)


def test_a_function_is_compiled_even_where_nothing_can_be_kept():
    from khue.school.timetable.solving.jitting import jit

    space = {"__name__": "nowhere"}
    exec("def twice(n):\n    return 2 * n\n", space)  # it has no file, so no place for its machine code
    assert jit(space["twice"])(1.5) == 3.0


def _imported(tree):
    """Return the modules a file imports when it is loaded itself."""
    found, todo = set(), list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found.update(its.name for its in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update((node.module, *(f"{node.module}.{its.name}" for its in node.names)))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            todo += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    return found


@pytest.mark.parametrize(
    ("library", "loops"), [("numba", ("jitting", "xhstt.moving")), ("llvmlite.binding", ("machine_code", "week_loops", "pushing_loops"))]
)
def test_only_the_solver_at_work_loads_the_compiler(library, loops):
    root = Path(khue.__file__).parent
    imports = {}
    for path in root.rglob("*.py"):
        name, text = ".".join(("khue", *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__"), path.read_text()
        if library in text or "solving" in text:
            imports[name] = _imported(ast.parse(text))
    heavy, more = set(), {library}
    while more:
        heavy |= more
        more = {name for name, its in imports.items() if its & heavy} - heavy
    solving = "khue.school.timetable.solving"
    assert {f"{solving}.{name}" for name in loops} <= heavy
    assert all(name == library or name.startswith(solving) for name in heavy)
    assert f"{solving}.pushing_loops" not in heavy or library != "numba", "Numba takes longer to load than most schools to place"
    assert not heavy & {f"{solving}.{name}" for name in ("engine", "running", "files", "swapping", "annealing", "desk", "checking")}
