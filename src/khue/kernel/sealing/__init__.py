"""Freeze, sign, verify: what any sealed document of the platform is made with.

`typeset` makes PDF/A files, `signers` reach the keys, `pdf` and `xml` sign
and verify, `trust` judges certificates, `verdict` compares what was found with what a document needs,
`authority` is the demo certificate authority. Nothing here knows a class, a learner or a table.
"""
