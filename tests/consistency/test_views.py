"""Every way in asks for a right, and no room of an app is entered but by its doors.

Read from the source: what a view or an operation calls, not what a test happened to send. The access matrix
(tests/access) asks the same of the running product.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2] / "src"
ASKS = {"demand", "allowed", "holds"}
BY_ID = {"uid", "pk", "id", "uid__in", "pk__in", "token", "code", "username"}
FETCHES = {"get", "filter", "get_or_create", "select_for_update"}

PUBLIC_VIEWS = {
    "khue.gateway.opendata.views.index": "open data for everybody",
    "khue.gateway.opendata.views.catalogue": "open data for everybody",
    "khue.gateway.opendata.views.notice": "open data for everybody",
    "khue.gateway.opendata.views.schools": "open data for everybody: no person in it",
    "khue.gateway.opendata.views.code_list": "open data for everybody",
    "khue.gateway.portal.views.enter": "the public page of a printed code",
    "khue.gateway.portal.views.verify": "the public page of a printed code; the token is the right",
    "khue.province.law.views.public.index": "the legal shelf is public; nobody's data",
    "khue.province.law.views.public.index_data": "the legal shelf for machines",
    "khue.province.law.views.public.instrument": "the legal shelf is public; nobody's data",
    "khue.province.law.views.public.instrument_data": "the legal shelf for machines",
    "khue.province.law.views.public.circulars": "worked examples are public; invented marks",
    "khue.province.law.views.public.examples": "worked examples are public; invented marks",
    "khue.school.timetable.views.days.feed": "the secret address of a calendar is the right, it may be closed",
    "khue.web.views.language": "the language of this browser",
    "khue.web.views.offline": "a page without data",
    "khue.web.views.worker": "a script without data",
    "khue.web.views.components": "sample data only",
    "khue.web.account_views.forgotten": "says the same to everybody",
    "khue.web.activation.activate": "the code of the slip is the right, tries are counted",
    "khue.web.api.unknown": "an address that is not there",
}
OWN_VIEWS = {
    "khue.web.views.jobs": "filtered by the actor's own account",
    "khue.web.views.act_as": "chooses among the grants the middleware found of this account",
}
FETCHED_WITHOUT_A_RIGHT = {
    "khue.gateway.oneroster.views.rest._look": "the rows came from a reading that asked for the right; only who was shown is noted",
    "khue.web.views.own_job": "filtered by the actor's own account",
    "khue.web.views.stop_job": "the job came from own_job",
    "khue.school.gradebook.views.classes._own_school": "the actor's own unit; its callers demand a right on it",
    "khue.gateway.exchange.views.batch": "the batch came from an actor-first query, the job is the batch's",
    "khue.register.schooling.views._custodian": "one school id, asked after the transfer came from an actor-first query",
    "khue.register.schooling.api.ask_transfer": "schools are public; the service asks for the right over either side",
    "khue.school.teaching.api.make_assignment": "the service asks for the right over the class; the post must be of its school",
    "khue.school.transcripts.api.list_transcripts": "the ids came from an actor-first query",
}
QUERIES_WITHOUT_ACTOR = {
    "khue.gateway.opendata.queries": "open data: code lists and the school network hold no person",
    "khue.school.transcripts.queries.public_status": "public: the token of the printed paper is the right",
    "khue.school.transcripts.queries.compare": "public: the token of the printed paper is the right",
    "khue.school.transcripts.queries.class_uid_of": "gets a transcript an actor-first query returned",
    "khue.school.gradebook.queries.classes.teachers_of": "gets the class of an actor-first query; staff names only",
    "khue.register.orgs.queries.history": "gets a unit an actor-first query returned",
    "khue.kernel.codes.queries": "code lists are public",
    "khue.gateway.exchange.ministry.queries.stored": "gets the job an actor-first query returned",
}
SERVICES_WITHOUT_RIGHT = {
    "khue.kernel.accounts.services": "the kernel knows no rights of apps: each caller has asked, its docstrings say so",
    "khue.school.gradebook.services.conduct.held_closing": "the lock, within the actor's schools; its callers ask",
    "khue.school.gradebook.services.marks.held_register": "the lock, within the actor's schools; its callers ask",
    "khue.school.gradebook.services.closing.close_set": "one set of a job that asked for the right class by class",
    "khue.school.gradebook.services.registers.add_registers": "inner half of open_registers_of_classes, which asks",
    "khue.school.gradebook.services.corrections.revise": "inner half of two services that ask",
}
ROOMS_CLOSED_TO_OTHERS = {"views", "api", "forms", "urls", "wiring", "cli", "apps", "templates", "migrations"}


def _modules(*names: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield (dotted name, tree) of the rooms of these names, packages and single files alike."""
    for path in sorted((ROOT / "khue").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if set(parts[2:]) & set(names) and "migrations" not in parts:
            dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield dotted, ast.parse(path.read_text(encoding="utf-8"))


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _calls(function: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Call))


def _is_actor(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "actor") or (isinstance(node, ast.Name) and node.id == "actor")


def asks(function: ast.FunctionDef, beside: dict[str, ast.FunctionDef], *, depth: int = 3) -> bool:
    """Return whether a function asks for a right or hands the actor to something that must, or calls one that does."""
    for call in _calls(function):
        name = _name_of(call)
        if name in ASKS:
            return True
        if isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "views":
            return True  # another view, which is asked itself
        handed = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "actor")]
        if name and name not in ("looked", "record", "getattr") and any(_is_actor(one) for one in handed):
            return True
        if depth and name in beside and beside[name] is not function and asks(beside[name], beside, depth=depth - 1):
            return True
        if depth and any(isinstance(one, ast.Attribute) and one.attr in ("correct", "send_back", "revoke") for one in call.args):
            return True  # a service handed to a helper that calls it with the actor
    return False


def demands(function: ast.FunctionDef, beside: dict[str, ast.FunctionDef]) -> bool:
    """Return whether a function itself, or a private one it calls, asks `permissions` for a right."""
    return any(
        _name_of(call) in ASKS or (_name_of(call) in beside and beside[_name_of(call)] is not function and demands(beside[_name_of(call)], {}))
        for call in _calls(function)
    )


def fetches_by_id(function: ast.FunctionDef) -> bool:
    """Return whether a function reads rows by an id straight from a manager."""
    for call in _calls(function):
        if _name_of(call) in ("get_object_or_404", "get_list_or_404"):
            return True
        if _name_of(call) in FETCHES and any(word.arg in BY_ID for word in call.keywords) and "objects" in ast.unparse(call.func):
            return True
    return False


def _routed() -> dict[str, str]:
    """Return the views URLs lead to: full name by name, those of ours and operations of the API."""
    from django.urls import URLPattern, get_resolver

    from khue.web.api import api

    found: dict[str, str] = {}

    def walk(resolver: object) -> None:
        for pattern in resolver.url_patterns:  # type: ignore[attr-defined]
            if not isinstance(pattern, URLPattern):
                walk(pattern)
            elif getattr(pattern.callback, "__module__", "").startswith("khue."):
                found[f"{pattern.callback.__module__}.{pattern.callback.__name__}"] = str(pattern.pattern)

    walk(get_resolver())
    for _prefix, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                found[f"{operation.view_func.__module__}.{operation.view_func.__name__}"] = operation.operation_id or ""
    return found


def _sources() -> dict[str, tuple[ast.FunctionDef, dict[str, ast.FunctionDef]]]:
    """Return every function of views and API rooms with those beside it."""
    result = {}
    for module, tree in [*_modules("views", "api"), *((n, t) for n, t in _modules("activation", "account_views"))]:
        beside = _functions(tree)
        result |= {f"{module}.{name}": (function, beside) for name, function in beside.items()}
    return result


def _is_listed(name: str, allowed: dict[str, str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def test_every_view_and_operation_asks_for_a_right() -> None:
    routed, sources = _routed(), _sources()
    assert len(routed) > 90 and set(routed) <= set(sources), sorted(set(routed) - set(sources))
    silent = sorted(name for name in routed if name not in PUBLIC_VIEWS | OWN_VIEWS and not asks(*sources[name]))
    assert not silent, f"views that ask nobody: {silent}"
    assert set(PUBLIC_VIEWS | OWN_VIEWS) <= set(routed), sorted(set(PUBLIC_VIEWS | OWN_VIEWS) - set(routed))


def test_views_and_operations_fetch_nothing_by_id_alone() -> None:
    found = {
        name
        for name, (function, beside) in _sources().items()
        if fetches_by_id(function) and not demands(function, beside) and name not in PUBLIC_VIEWS
    }
    assert found <= set(FETCHED_WITHOUT_A_RIGHT), sorted(found - set(FETCHED_WITHOUT_A_RIGHT))


def _public(module: str, tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef, dict[str, ast.FunctionDef]]]:
    beside = _functions(tree)
    for name, function in beside.items():
        if not name.startswith("_"):
            yield f"{module}.{name}", function, beside


def _first(function: ast.FunctionDef) -> str:
    arguments = [*function.args.posonlyargs, *function.args.args]
    return arguments[0].arg if arguments else ""


def test_queries_that_take_an_id_take_the_actor_first() -> None:
    wrong = [
        name
        for module, tree in _modules("queries")
        for name, function, beside in _public(module, tree)
        if fetches_by_id(function) and _first(function) != "actor" and not _is_listed(name, QUERIES_WITHOUT_ACTOR)
    ]
    assert not wrong, f"queries by id without an actor: {wrong}"


def test_queries_with_an_actor_use_her() -> None:
    wrong = [
        name
        for module, tree in _modules("queries")
        for name, function, beside in _public(module, tree)
        if _first(function) == "actor" and not any(_is_actor(node) for one in function.body for node in ast.walk(one))
    ]
    assert not wrong, f"queries that take an actor and forget her: {wrong}"


def test_services_with_an_actor_demand_a_right() -> None:
    silent = []
    for module, tree in _modules("services", "invitations"):
        for name, function, beside in _public(module, tree):
            takes = [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]
            if "actor" in takes and not asks(function, beside) and not _is_listed(name, SERVICES_WITHOUT_RIGHT):
                silent.append(name)
    assert not silent, f"services that ask nobody: {silent}"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom."""
    return grimp.build_graph("khue", cache_dir=None)


def app_of(module: str) -> str:
    """Return the app a module belongs to: khue.school.gradebook; the kernel's are one house, the web another."""
    parts = module.split(".")
    return ".".join(parts[:2] if len(parts) < 3 or parts[1] in ("kernel", "web") else parts[:3])


def strangers(graph: grimp.ImportGraph) -> list[str]:
    """Return imports of closed rooms by other apps."""
    found = []
    for module in sorted(graph.modules):
        room = set(module.split(".")[3:]) & ROOMS_CLOSED_TO_OTHERS
        if not room or not module.startswith(("khue.register.", "khue.school.", "khue.learning.", "khue.province.", "khue.gateway.")):
            continue
        for importer in sorted(graph.find_modules_that_directly_import(module)):
            if app_of(importer) != app_of(module):
                found.append(f"{importer} -> {module}")
    return found


def test_other_apps_enter_no_closed_room(graph: grimp.ImportGraph) -> None:
    assert strangers(graph) == []


# -- controls: what these tests must catch ------------------------------------------------------------------


def _one(source: str) -> tuple[ast.FunctionDef, dict[str, ast.FunctionDef]]:
    beside = _functions(ast.parse(source))
    return beside["view"], beside


@pytest.mark.parametrize(
    "source",
    [
        "def view(request, uid):\n    return render(request, 'x', {'group': ClassGroup.objects.get(uid=uid)})",
        "def view(request, uid):\n    audit.looked(request, [], 'x')\n    return render(request, 'x', {})",
        "def view(request):\n    name = request.actor.name\n    return render(request, 'x', {'name': name})",
    ],
)
def test_a_view_that_asks_nobody_is_seen(source: str) -> None:
    assert not asks(*_one(source))


def test_a_view_that_asks_is_not_accused() -> None:
    assert asks(*_one("def view(request, uid):\n    return render(request, 'x', {'group': queries.group(request.actor, uid)})"))
    assert asks(*_one("def view(request):\n    _ask(request)\n\ndef _ask(request):\n    permissions.demand(request.actor, 'x', at=now)"))


def test_a_fetch_by_id_is_seen() -> None:
    function, beside = _one("def view(request, uid):\n    return ClassGroup.objects.select_related('school').filter(uid=uid).first()")
    assert fetches_by_id(function) and not demands(function, beside)


def test_a_stranger_in_a_closed_room_is_seen(graph: grimp.ImportGraph) -> None:
    graph = grimp.build_graph("khue", cache_dir=None)
    graph.add_import(importer="khue.gateway.exchange.services", imported="khue.register.schooling.views")
    assert strangers(graph) == ["khue.gateway.exchange.services -> khue.register.schooling.views"]
