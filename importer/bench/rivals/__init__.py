"""What the importer is measured against. Each runs in a process of its own, for they import what a daemon must not.

A rival is `python -m importer.bench.rivals.<name>`: it reads one JSON order from standard input, loads its model, and
writes a line of JSON now and then: what it has done so far, and in how many seconds. It may go on until it is killed;
what it wrote last counts.
"""
