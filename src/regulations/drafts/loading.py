"""Building a draft: the base's module is run again beside the original with the changed numbers in place.

Every constant computed from a changed one is computed again, so nothing of the old law is left behind. The
original module is never touched.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from types import ModuleType
from typing import Any

from regulations.core import Citation, OutOfRange, RuleError, UnknownValue

SUBJECTS = (
    "assessment",
    "graduation",
    "admission",
    "completion",
    "contests",
    "enrolment",
    "diplomas",
    "universal_education",
)
FIELDS = {"id", "state", "title", "base", "set"}
OPTIONAL = {"source"}
PREFIX = "draft."
STATE = "draft"
LONGEST = 120
LARGEST = 1_000_000
"""A number of a draft beyond it is a mistake: marks are tenths and hundredths, the rest counts days, years and places."""
IDENTITY = {
    "ID",
    "INSTRUMENT",
    "TITLE",
    "AMENDS",
    "VERSION",
    "TRANSFERS",
    "FIRST_YEAR",
    "LAST_YEAR",
    "FIRST_EXAM",
    "LAST_EXAM",
    "FIRST_DAY",
    "LAST_DAY",
    "TYPE_CHECKING",
}
"""Constants that say which law it is and when; a draft has its own id and no dates."""


class DraftNotOfficial(RuleError):
    """A draft rule set was about to decide something that counts."""

    code = "draft-not-official"


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a draft would decide; never an outcome that can be stored."""

    draft: str
    result: Any


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft rule set.

    rules     has the functions of its base, with the changed numbers
    changed   setting to (value of the base, value of the draft)
    """

    id: str
    title: str
    base: str
    source: str
    changed: Mapping[str, tuple[Any, Any]]
    rules: Any

    def simulate(self, rule: str, *positional: Any, **named: Any) -> Simulation:
        """Return what `rule` of the draft gives for an input; raise UnknownValue for a rule it does not have."""
        function = getattr(self.rules, rule, None)
        if rule.startswith("_") or not callable(function):
            raise UnknownValue(f"{self.id} has no rule {rule!r}", name="rule", got=rule)
        return Simulation(self.id, function(*positional, **named))


def is_official(rules: Any) -> bool:
    """Return whether a rule set may decide official results."""
    return bool(getattr(rules, "is_official", True) and getattr(rules, "IS_OFFICIAL", True))


def demand_official(rules: Any) -> None:
    """Raise DraftNotOfficial for a draft or a simulation's result."""
    if isinstance(rules, Draft | Simulation) or not is_official(rules):
        raise DraftNotOfficial(f"{rules!r} is a draft", name="rules")


def bases() -> dict[str, Any]:
    """Return every official rule set by its id: what a draft may be based on."""
    found: dict[str, Any] = {}
    for subject in SUBJECTS:
        for rules in importlib.import_module(f"regulations.{subject}").RULE_SETS:
            found[rules.ID if isinstance(rules, ModuleType) else rules.id] = rules
    return found


def settings_of(base: str) -> dict[str, Any]:
    """Return what a draft of `base` may set, with the values in force; raise UnknownValue for no rule set."""
    rules = _base(base)
    module = _module(rules)
    settings = {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and name not in IDENTITY and _is_setting(value)
    }
    if not isinstance(rules, ModuleType):
        settings |= {name: value for name, value in _class_settings(rules).items() if _is_setting(value)}
    return settings


def load(data: Mapping[str, Any]) -> Draft:
    """Return the draft described by data, as JSON gives it.

    id      begins with "draft."
    state   "draft": a law in force is a module, not data
    base    id of an official rule set
    set     setting to value; a mapping sets only the entries given; keys are written as text ("2", "hsg/national/1")

    Raises UnknownValue for a field, base, setting or entry that does not exist, OutOfRange for a value of another
    kind than the base's (a fraction among them).
    """
    _check_fields(data)
    rules = _base(data["base"])
    known = settings_of(data["base"])
    changed: dict[str, tuple[Any, Any]] = {}
    for name, value in data["set"].items():
        if name not in known:
            raise UnknownValue(
                f"{data['base']} has no setting {name!r}", name="set", got=name, choices=tuple(sorted(known))
            )
        changed[name] = (known[name], _like(known[name], value, name, frozenset(_words(known[name]))))
    return Draft(
        id=data["id"],
        title=data["title"],
        base=data["base"],
        source=data.get("source", ""),
        changed=changed,
        rules=_build(rules, data["id"], data["title"], {name: new for name, (_, new) in changed.items()}),
    )


class _Namespace(dict[str, Any]):
    """The names of a module being run again: a changed constant takes its new value the moment it is set."""

    def __init__(self, names: dict[str, Any], changed: Mapping[str, Any]) -> None:
        super().__init__(names)
        self.names = names
        self.changed = changed

    def __setitem__(self, name: str, value: Any) -> None:
        value = self.changed.get(name, value)
        self.names[name] = value
        super().__setitem__(name, value)


def _build(rules: Any, id: str, title: str, changed: Mapping[str, Any]) -> Any:
    original = _module(rules)
    constants = {name: value for name, value in changed.items() if name.isupper()}
    fresh = ModuleType(original.__name__, f"Draft {id} of {original.__name__}.")
    fresh.__dict__.update(__file__=original.__file__, __package__=original.__package__)
    namespace = _Namespace(fresh.__dict__, {**constants, "ID": id, "INSTRUMENT": id, "TITLE": title})
    exec(_code(original), fresh.__dict__, namespace)  # noqa: S102  our own source, never the data
    fresh.IS_OFFICIAL = False  # type: ignore[attr-defined]
    if isinstance(rules, ModuleType):
        return fresh
    attributes = {name: value for name, value in changed.items() if not name.isupper()}
    kind = type(fresh.RULES)
    draft = type(
        f"Draft{kind.__name__}", (kind,), {"id": id, "instrument": id, "is_official": False, **attributes}
    )
    return draft()


def _code(module: ModuleType) -> Any:
    """Return the compiled source of a module of the rules."""
    assert module.__spec__ is not None
    loader: Any = module.__spec__.loader
    return loader.get_code(module.__name__)


def _module(rules: Any) -> ModuleType:
    return rules if isinstance(rules, ModuleType) else sys.modules[type(rules).__module__]


def _base(name: object) -> Any:
    found = bases()
    if name not in found:
        raise UnknownValue(f"no rule set {name!r}", name="base", got=name, choices=tuple(found))
    return found[name]


def _class_settings(rules: Any) -> dict[str, Any]:
    """Return the plain class attributes of a rule set of objects, identity and dates left out."""
    left_out = {
        "id", "instrument", "title", "level", "programme", "version", "amends", "is_official", "first_year", "last_year",
    }  # fmt: skip
    return {
        name: getattr(rules, name)
        for name in dir(rules)
        if name.islower()
        and not name.startswith("_")
        and name not in left_out
        and not callable(getattr(rules, name))
    }


def _is_setting(value: Any) -> bool:
    """Return whether a draft may set a value: plain, and more than a single word."""
    return _is_plain(value) and value is not None and type(value) is not str


def _is_plain(value: Any) -> bool:
    """Return whether a value is made of whole numbers, text, truth values, None, tuples, mappings and records."""
    if isinstance(value, Mapping):
        return all(_is_key(key) and _is_plain(one) for key, one in value.items())
    if isinstance(value, tuple):
        return type(value) is tuple and all(map(_is_plain, value))
    if is_dataclass(value) and not isinstance(value, type | Citation):
        return all(_is_plain(getattr(value, field.name)) for field in fields(value))
    return value is None or type(value) in (int, str, bool)


def _is_key(key: Any) -> bool:
    return type(key) in (int, str) or (type(key) is tuple and all(type(part) in (int, str) for part in key))


def _words(value: Any) -> Iterator[str]:
    """Yield the words of a setting: what a draft may put in the place of another (the level a table gives)."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _words(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from _words(one)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _words(getattr(value, field.name))


def _like(sample: Any, value: Any, place: str, words: frozenset[str]) -> Any:
    """Return `value` in the shape of `sample`: the same kind, the same entries, no word that is not among `words`."""
    if isinstance(sample, Mapping):
        if not isinstance(value, Mapping):
            raise OutOfRange(f"{place} is a mapping", name=place, got=value)
        keys = {_written(key): key for key in sample}
        unknown = [key for key in value if key not in keys]
        if unknown:
            raise UnknownValue(
                f"{place} has no entry {unknown}", name=place, got=tuple(unknown), choices=tuple(keys)
            )
        return {
            **sample,
            **{keys[key]: _like(sample[keys[key]], one, f"{place}.{key}", words) for key, one in value.items()},
        }
    if isinstance(sample, tuple):
        if not isinstance(value, list | tuple) or len(value) != len(sample):
            raise OutOfRange(f"{place} is a list of {len(sample)}", name=place, got=value)
        return tuple(_like(one, other, place, words) for one, other in zip(sample, value, strict=True))
    if is_dataclass(sample):
        entries = {field.name: getattr(sample, field.name) for field in fields(sample)}
        return replace(sample, **_like(entries, value, place, words))  # type: ignore[type-var]
    if sample is None and type(value) is not int and value is not None:
        raise OutOfRange(f"{place} is of kind int", name=place, got=value)
    if sample is not None and type(value) is not type(sample):
        raise OutOfRange(f"{place} is of kind {type(sample).__name__}", name=place, got=value)
    if type(value) is int and abs(value) > LARGEST:
        raise OutOfRange(f"{place} is larger than {LARGEST}", name=place, most=LARGEST)
    if type(value) is str and value not in words:
        raise UnknownValue(f"{place} knows no {value!r}", name=place, got=value, choices=tuple(sorted(words)))
    return value


def _written(key: Any) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _check_fields(data: Mapping[str, Any]) -> None:
    lacking, extra = FIELDS - data.keys(), data.keys() - FIELDS - OPTIONAL
    if lacking or extra:
        raise UnknownValue(
            "not the fields of a draft", name="fields", lacking=sorted(lacking), extra=sorted(extra)
        )
    if data["state"] != STATE:
        raise UnknownValue(f"state is not {STATE!r}: {data['state']!r}", name="state", got=data["state"])
    if not isinstance(data["id"], str) or not data["id"].startswith(PREFIX):
        raise UnknownValue(f"id does not begin with {PREFIX!r}: {data['id']!r}", name="id", got=data["id"])
    for name in ("id", "title", "source"):
        text = data.get(name, "")
        if not isinstance(text, str) or len(text) > LONGEST or not text.isprintable():
            raise OutOfRange(f"{name} is no line of text of at most {LONGEST} letters", name=name, most=LONGEST)
    if not isinstance(data["set"], Mapping):
        raise OutOfRange("set is a mapping", name="set", got=data["set"])
