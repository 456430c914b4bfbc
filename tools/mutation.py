"""Mutation testing of `regulations`: change one place of the law at a time and see whether its tests notice.

    python tools/mutation.py                              # a sample of every package, two minutes each at most
    python tools/mutation.py assessment.tt_22_2021 --sample 0 --budget 0      # every mutant of one module
    python tools/mutation.py graduation --sample 80 --seed 7 --json var/mutants.json

A mutant is one change in one place: a comparison to its neighbour (`<` to `<=`) or its opposite, `and` to `or`,
an arithmetic sign, a whole number to the next one, a truth value or a condition to its opposite. Annotations,
docstrings, texts of messages and the settings of decorators are left alone: no rule rests on them.

Each mutant runs in a forked process against a copy of `src/regulations`, first the quick tests of its package (cases
and published vectors), and only when these notice nothing the generated ones. A mutant nobody notices is printed
with its line; docs/mutation-survivors.md says why each that is left is left. Mutants are drawn with a published seed, so
a run can be repeated; a run that is out of time says how many it did not come to.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAW = ROOT / "src" / "regulations"
TESTS = ROOT / "tests" / "regulations"

VECTORS = "vectors"
"""Stands for the published cases of the module's package."""
ASSESSMENT = [
    VECTORS, "test_assessment.py", "test_assessment_levels.py", "test_assessment_ranks.py", "test_assessment_primary.py",
    "test_assessment_preschool.py", "test_assessment_words.py", "test_refusals.py", "test_weights.py", "test_consistency.py",
]  # fmt: skip


def _sets(*names: str) -> list[str]:
    return [f"test_sets.py::{name}" for name in names]


EDGES = (
    "test_a_subject_left_out_of_every_count_needs_no_mark", "test_sets_agree_on_which_comment_subjects_are_assessed_again",
    "test_sets_agree_on_every_year_level_and_title_of_circular_27", "test_sets_agree_on_every_way_to_be_promoted_under_circular_27",
    "test_a_pupil_in_one_of_two_frames_only_is_named", "test_a_learner_of_old_rules_in_one_of_two_frames_only_is_incomplete",
    "test_sets_agree_on_both_sides_of_every_number_of_circular_22", "test_sets_agree_on_every_way_to_be_promoted_under_circular_22",
    "test_sets_agree_on_both_sides_of_every_number_of_circular_58", "test_sets_agree_on_every_way_to_be_promoted_under_circular_58",
)  # fmt: skip
TERMS = _sets("test_averages_of_a_term", "test_averages_of_a_year", "test_comment_subjects_of_a_term")
COMMUNES = _sets(
    "test_preschool_at_five", "test_preschool_at_three_to_five", "test_primary_education", "test_lower_secondary_education",
    "test_literacy", "test_districts_and_provinces", "test_faults_of_a_commune_are_named_in_order",
    "test_a_threshold_nobody_set_is_asked_for",
)  # fmt: skip
GRADE10 = _sets(
    "test_admission_before_2025", "test_admission_to_specialised_schools", "test_levels_of_years_may_be_left_out_and_must_be_pairs"
)
FINISHED = _sets("test_ranks_of_lower_secondary", "test_recognition_of_2025", "test_confirmation_since_2026", "test_what_a_learner_lacks_is_named", "test_what_a_set_does_not_say_is_none")
CONTESTS = _sets("test_prizes_at_their_caps_and_one_above", "test_what_a_set_does_not_say_is_none", "test_prizes", "test_shares_of_a_contest_are_percentages")
DIPLOMAS = _sets("test_a_diploma_is_on_paper_where_a_set_does_not_say", "test_days_of_issue", "test_days_of_issue_need_a_day_and_a_number", "test_blanks")
CHILDREN = _sets("test_ages_of_entry", "test_sizes_of_classes")
SUITES: dict[str, tuple[list[str], list[str]]] = {
    "assessment.frames.marks": (["test_sets_vectors.py", *TERMS, *_sets("test_columns_of_terms_that_are_none_are_refused_at_once")], ["test_assessment_frames.py"]),
    "assessment.frames.preschool": (["test_sets_vectors.py", *_sets("test_classes_of_growth_on_both_sides_of_every_line", "test_what_a_set_does_not_say_is_none", "test_classes_of_growth", "test_sizes_of_groups")], []),
    "assessment.frames": ([f"test_assessment_frames.py::{name}" for name in EDGES], ["test_sets_vectors.py", "test_assessment_frames.py"]),
    "assessment": (ASSESSMENT, ["test_assessment_properties.py", *TERMS, "test_assessment_frames.py"]),
    "graduation.frames": (["test_sets_vectors.py", "test_graduation_frames.py", *_sets("test_the_exams_of_2015_to_2019")], []),
    "graduation": ([VECTORS, "test_graduation.py"], ["test_graduation_frames.py", *_sets("test_the_exams_of_2015_to_2019")]),
    "admission.frames": (["test_sets_vectors.py", "test_admission_frames.py", *GRADE10], []),
    "admission": ([VECTORS, "test_admission.py"], ["test_admission_frames.py", *GRADE10]),
    "completion.frames": (["test_sets_vectors.py", *FINISHED], []),
    "completion": ([VECTORS, "test_completion.py"], FINISHED),
    "universal_education.frames": (["test_sets_vectors.py", *COMMUNES], []),
    "universal_education": ([VECTORS, "test_universal_education.py"], COMMUNES),
    "contests": ([VECTORS, "test_contests.py"], CONTESTS),
    "diplomas": (["test_diplomas.py"], DIPLOMAS),
    "enrolment": ([VECTORS, "test_enrolment.py"], CHILDREN),
    "calendar": ([VECTORS, "test_calendar.py"], ["test_diplomas.py", "test_enrolment.py"]),
    "names": ([VECTORS, "test_names.py"], []),
    "curriculum": (["test_curriculum.py", "test_assessment.py", "test_assessment_primary.py"], ["test_consistency.py"]),
    "drafts": (["test_drafts.py"], ["test_graduation_frames.py"]),
    "core": (["test_scale.py", "test_reasons.py", *ASSESSMENT[1:]], ["test_graduation.py"]),
    "sets": (["test_sets_vectors.py", *_sets("test_rounding_of_sets_is_that_of_the_law", "test_columns_are_checked_before_rows"), *COMMUNES], GRADE10),
    "reasons": (["test_reasons.py", "test_assessment_words.py"], ["test_consistency.py"]),
}
"""Package or module (the longest name wins) to its quick tests and its slower ones, in `tests/regulations`."""
LEFT_OUT = ("shelf", "vectors")
"""Catalogues and a runner of files: no rule of law."""

NEXT = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
SIGNS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.In: "in",
    ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not", ast.And: "and", ast.Or: "or", ast.Add: "+", ast.Sub: "-",
    ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%", ast.BitAnd: "&", ast.BitOr: "|",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: `place` counts the places of the module, `line` is where a reader finds it."""

    module: str
    path: str
    place: int
    line: int
    change: str


@dataclass
class Report:
    """What came of one module's sample."""

    module: str
    mutants: int
    run: int = 0
    killed: int = 0
    seconds: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class Changer(ast.NodeTransformer):
    """Counts the places where a module can be changed; changes the one asked for."""

    def __init__(self, wanted: int | None = None) -> None:
        self.wanted, self.count = wanted, 0
        self.found: list[tuple[int, int, str]] = []

    def _place(self, line: int, change: str) -> bool:
        self.found.append((self.count, line, change))
        self.count += 1
        return self.wanted == self.count - 1

    def _children(self, node: ast.AST) -> ast.AST:
        return super().generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Go into the body and the defaults; leave decorators and annotations alone."""
        node.args.defaults = [self.visit(one) for one in node.args.defaults]
        node.args.kw_defaults = [one and self.visit(one) for one in node.args.kw_defaults]
        node.body = [self.visit(one) for one in node.body]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Go into the body only."""
        node.body = [self.visit(one) for one in node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Go into the value only."""
        node.value = node.value and self.visit(node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """Leave names of types alone: `Number = int | None` is no sum, and neither is our own version of a rule set."""
        names = [one.id for one in node.targets if isinstance(one, ast.Name)]
        if names == ["VERSION"] or (names and names[0][0].isupper() and not names[0].isupper()):
            return node
        return self._children(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Leave texts and facts of refusals alone; conditions before them are not."""
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        """Turn the condition round, except that of imports for type checkers."""
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node
        if not isinstance(node.test, ast.Compare | ast.UnaryOp) and self._place(node.lineno, "if … → if not …"):
            node.test = ast.UnaryOp(ast.Not(), node.test)
            return node
        return self._children(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Change each comparison."""
        for number, sign in enumerate(node.ops):
            other = NEXT[type(sign)]
            if self._place(node.lineno, f"{SIGNS[type(sign)]} → {SIGNS[other]}"):
                node.ops[number] = other()
                return node
        return self._children(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Change the connective."""
        other = NEXT[type(node.op)]
        if self._place(node.lineno, f"{SIGNS[type(node.op)]} → {SIGNS[other]}"):
            node.op = other()
            return node
        return self._children(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Change the arithmetic; a sum with text is none."""
        other = NEXT.get(type(node.op))
        is_text = any(isinstance(one, ast.JoinedStr) or (isinstance(one, ast.Constant) and isinstance(one.value, str)) for one in (node.left, node.right))
        if other and not is_text and self._place(node.lineno, f"{SIGNS[type(node.op)]} → {SIGNS[other]}"):
            node.op = other()
            return node
        return self._children(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """Leave out a `not`, a minus or a `~`."""
        names = {ast.Not: "not", ast.USub: "-", ast.Invert: "~"}
        if type(node.op) in names and self._place(node.lineno, f"{names[type(node.op)]} … → …"):
            return node.operand
        return self._children(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Leave how citations, refusals and caches are made alone."""
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in ("cites", "lru_cache", "dataclass", "TypeVar"):
            return node
        node.func = self.visit(node.func)
        node.args = [self.visit(one) for one in node.args]
        # `strict=` of zip only guards what is checked before.
        node.keywords = [one if one.arg == "strict" else self.visit(one) for one in node.keywords]
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Change a truth value or a whole number."""
        if isinstance(node.value, bool):
            if self._place(node.lineno, f"{node.value} → {not node.value}"):
                return ast.Constant(not node.value)
        elif isinstance(node.value, int) and self._place(node.lineno, f"{node.value} → {node.value + 1}"):
            return ast.Constant(node.value + 1)
        return node


def modules(wanted: list[str]) -> dict[str, Path]:
    """Return the modules of the law by dotted name, those asked for or all."""
    found = {}
    for path in sorted(LAW.rglob("*.py")):
        parts = path.relative_to(LAW).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not name or name.split(".")[0] in LEFT_OUT or name.endswith("texts"):
            continue
        if not wanted or any(name == one or name.startswith(f"{one}.") for one in wanted):
            found[name] = path
    return found


def mutants_of(name: str, path: Path) -> list[Mutant]:
    """Return every mutant of a module in the order of its places."""
    changer = Changer()
    changer.visit(ast.parse(path.read_text(encoding="utf-8")))
    where = str(path.relative_to(ROOT))
    return [Mutant(name, where, place, line, change) for place, line, change in changer.found]


def changed(mutant: Mutant) -> str:
    """Return the source of a module with the mutant in it."""
    tree = copy.deepcopy(ast.parse((ROOT / mutant.path).read_text(encoding="utf-8")))
    return ast.unparse(ast.fix_missing_locations(Changer(mutant.place).visit(tree)))


def suite(name: str) -> tuple[list[str], list[str]]:
    """Return the tests of a module: quick ones, then the others."""
    known = max((one for one in SUITES if name == one or name.startswith(f"{one}.")), key=len)
    quick, slow = SUITES[known]
    quick = [f"{VECTORS}:{name.split('.')[0]}" if one == VECTORS else one for one in quick]
    if "frames" not in name and name != "sets":
        quick[1:1] = ["test_numbers.py", "test_in_force.py"]
    return quick, slow


@contextlib.contextmanager
def copied() -> Iterator[Path]:
    """Yield a folder with a copy of the law and a configuration that loads nothing else of the suite."""
    with tempfile.TemporaryDirectory(prefix="khue-mutation-") as folder:
        there = Path(folder)
        shutil.copytree(LAW, there / "src" / "regulations", ignore=shutil.ignore_patterns("__pycache__"))
        (there / "pytest.ini").write_text("[pytest]\naddopts = -q -p _hypothesis_pytestplugin -p no:cacheprovider\nfilterwarnings = ignore\n")
        yield there


def tested(there: Path, tests: list[str], seconds: int) -> bool:
    """Return whether the tests pass on the copy, in a process of its own that may take so long."""
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.alarm(seconds)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code = 1
        with contextlib.suppress(BaseException):
            code = _run_tests(there, tests)
        os._exit(0 if code == 0 else 1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _run_tests(there: Path, tests: list[str]) -> int:
    import pytest

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["KHUE_LAW_PROFILE"] = "mutants"
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(there / "src"), str(ROOT)]
    os.chdir(ROOT)
    if tests and tests[0].startswith(VECTORS):
        from regulations.vectors.runner import main as run

        folder = there / "src" / "regulations" / tests[0].partition(":")[2] / VECTORS
        if run([str(folder)]) != 0:
            return 1
        tests = tests[1:]
    arguments = ["-c", str(there / "pytest.ini"), "--rootdir", str(ROOT), "--confcutdir", str(TESTS), "-x", "--hypothesis-seed=0"]
    return int(pytest.main([*arguments, *(str(TESTS / one) for one in tests)]))


def examined(name: str, path: Path, there: Path, *, sample: int, seed: int, budget: int) -> Report:
    """Return the report of one module."""
    everything = mutants_of(name, path)
    chosen = everything if not sample or sample >= len(everything) else random.Random(f"{seed}:{name}").sample(everything, sample)
    report, begun = Report(name, len(everything)), time.monotonic()
    target = there / "src" / "regulations" / path.relative_to(LAW)
    quick, slow = suite(name)
    source = path.read_text(encoding="utf-8")
    for mutant in sorted(chosen, key=lambda one: one.place):
        if budget and time.monotonic() - begun > budget:
            break
        target.write_text(changed(mutant), encoding="utf-8")
        survives = tested(there, quick, 60) and (not slow or tested(there, slow, 240))
        report.run += 1
        report.killed += not survives
        if survives:
            report.survivors.append(mutant)
            report.lines.append(source.splitlines()[mutant.line - 1].strip())
    target.write_text(source, encoding="utf-8")
    report.seconds = round(time.monotonic() - begun)
    return report


def main(arguments: list[str] | None = None) -> int:
    """Print each module's numbers and survivors; return 1 when fewer than `--least` of 100 were killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="packages or modules under regulations; none for all")
    parser.add_argument("--sample", type=int, default=25, help="mutants of each module at most; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=int, default=120, help="seconds of each module at most; 0 for no end")
    parser.add_argument("--least", type=int, default=95)
    parser.add_argument("--json", type=Path, help="write the reports there")
    parser.add_argument("--list", action="store_true", help="count the mutants and run nothing")
    chosen = parser.parse_args(arguments)
    wanted = modules(chosen.modules)
    if chosen.list:
        for name, path in wanted.items():
            print(f"{name:<44} {len(mutants_of(name, path)):5}")
        return 0
    import hypothesis  # noqa: F401 - children begin with what is slow to load
    import polars  # noqa: F401
    import pytest  # noqa: F401

    reports = []
    with copied() as there:
        for quick, slow in {str(suite(one)): suite(one) for one in wanted}.values():
            if not tested(there, [*quick, *slow], 600):
                print(f"these tests fail without any change: {' '.join([*quick, *slow])}", file=sys.stderr)
                return 2
        for name, path in wanted.items():
            if mutants_of(name, path):
                reports.append(examined(name, path, there, sample=chosen.sample, seed=chosen.seed, budget=chosen.budget))
                _print(reports[-1])
    run, killed = sum(one.run for one in reports), sum(one.killed for one in reports)
    share = 100 * killed // run if run else 100
    print(f"{killed} of {run} mutants killed ({share} of 100), {sum(one.mutants for one in reports)} there are")
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps([asdict(one) for one in reports], ensure_ascii=False, indent=1), encoding="utf-8")
    return 0 if 100 * killed >= chosen.least * run else 1


def _print(report: Report) -> None:
    print(f"{report.module:<44} {report.killed:4} of {report.run:4} killed, {report.mutants:5} there are, {report.seconds:4} s", flush=True)
    for mutant, line in zip(report.survivors, report.lines, strict=True):
        print(f"    {mutant.path}:{mutant.line}  {mutant.change}   {line}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
