"""The ledger: what was changed, in an order nobody can rewrite unseen.

`canonical` is the one encoder to bytes, `chain` the rule that links entries, `merkle` the tree over
all heads, `checkpoints` the signed statements that leave the machine, `verifier` the stand-alone
program that checks them all. Nothing here decides what is worth an entry: the services do.
"""
