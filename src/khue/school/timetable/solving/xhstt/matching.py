"""Which lessons of one time cannot all have resources: what a timetable without resources must not do.

At each time the places of the lessons that run want different resources. By Hall's theorem they can all have one unless
some of them have, together, fewer candidates than they are; the candidates of these are a pool that is too small then.
"""

from __future__ import annotations

from collections import defaultdict

from khue.school.timetable.solving.xhstt.state import State


def short_pools(state: State) -> set[frozenset[int]]:
    """Return the candidates of places that cannot all be filled at some time; none when each time can be filled by itself.

    Resources are wanted once a time; preassigned and unavailable ones are not free. Places nobody must fill are not asked,
    nor those with a candidate that may be in two lessons at once.
    """
    problem = state.problem
    required = {
        k
        for k, place in enumerate(problem.places)
        if place.candidates
        and any(m.is_hard and m.kind == "AssignResource" for m in problem.place_monitors[k])
        and all(any(m.is_hard for m in state.clash_monitors[r]) for r in place.candidates)
    }
    wanted: dict[int, list[int]] = defaultdict(list)
    taken: dict[int, set[int]] = defaultdict(set)
    for index, bundle in enumerate(problem.bundles):
        for duration, start, _ in state.parts(index):
            for time in range(start, start + duration) if start >= 0 else ():
                wanted[time] += [place for place in bundle.places if place in required]
                taken[time].update(bundle.resources)
    closed = [_closed(state, resource) for resource in range(len(problem.instance.resources))]
    found: set[frozenset[int]] = set()
    for time, places in sorted(wanted.items()):
        free = {
            place: [r for r in problem.places[place].candidates if r not in taken[time] and not closed[r] >> time & 1]
            for place in set(places)
        }
        for crowd in _unmatched(places, free):
            found.add(frozenset(r for place in crowd for r in problem.places[place].candidates))
    return found


def _closed(state: State, resource: int) -> int:
    """Return the times, as bits, a resource must not be used at."""
    bits = 0
    for monitor in state.busy_monitors[resource]:
        if monitor.kind == "AvoidUnavailableTimes" and monitor.is_hard:
            bits |= monitor.facts[0]
    return bits


def _unmatched(places: list[int], free: dict[int, list[int]]) -> list[set[int]]:
    """Match each place to a free resource of its own; return for each that cannot be matched all it competes with."""
    owner: dict[int, int] = {}

    def give(place: int, seen: set[int], crowd: set[int]) -> bool:
        crowd.add(place)
        for resource in free[place]:
            if resource in seen:
                continue
            seen.add(resource)
            if resource not in owner or give(owner[resource], seen, crowd):
                owner[resource] = place
                return True
        return False

    crowds: list[set[int]] = []
    for place in places:
        crowd: set[int] = set()
        if not give(place, set(), crowd):
            crowds.append(crowd)
    return crowds
