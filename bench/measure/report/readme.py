# SPDX-License-Identifier: BSD-3-Clause
"""Puts a run's tables into bench/README.md."""

from pathlib import Path

from ..trouble import Trouble

RUN = "bench/run.sh --update-readme"
INSTRUCTIONS = "bench/instructions.sh --update"


def marks(by: str = RUN) -> tuple:
    return f"<!-- {by}: begin -->", f"<!-- {by}: end -->"


def update(path: Path, tables: str, by: str = RUN):
    """Between the two marks of the command `by`."""
    begin, end = marks(by)
    words = path.read_text()
    if words.count(begin) != 1 or words.count(end) != 1 or words.index(begin) > words.index(end):
        raise Trouble(f"{path}: has no '{begin}' before one '{end}': put them back")
    head, rest = words.split(begin)
    path.write_text(f"{head}{begin}\n\n{tables}\n{end}{rest.split(end)[1]}")
