"""Two files of one person: found by stated rules, told apart or merged by people, merged reversibly.

`rules` weighs a pair, `finding` brings candidates out of the database, `moving` re-points rows and puts them back,
`services` are the acts, `queries` what the pages show, `work` the nightly search.
"""
