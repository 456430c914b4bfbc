"""A school opened from a template, two made one, one made two: the unit, its classes, learners, staff and roles in one act."""

from khue.register.schooling.reorganising.moving import Moved, merge_schools, split_school
from khue.register.schooling.reorganising.opening import TEMPLATES, Opened, open_school
from khue.register.schooling.reorganising.planning import perform_planned, plan_merge, withdraw

__all__ = ["TEMPLATES", "Moved", "Opened", "merge_schools", "open_school", "perform_planned", "plan_merge", "split_school", "withdraw"]
