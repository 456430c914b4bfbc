"""What the law says, as dated, cited, pure functions.

One package a subject of law, one module a circular. A subject's package is its only door: callers ask
it for the rules of a case (`assessment.rules_for(grade=7, year=2025)`) and never import a circular.
Nothing here knows Django, a clock, a setting or a file. Marks are whole numbers of a named scale.
"""
