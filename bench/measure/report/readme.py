# SPDX-License-Identifier: BSD-3-Clause
"""Puts a run's tables into bench/README.md."""

from pathlib import Path

from ..trouble import Trouble

BEGIN = "<!-- bench/run.sh --update-readme: begin -->"
END = "<!-- bench/run.sh --update-readme: end -->"


def update(path: Path, tables: str):
    words = path.read_text()
    if words.count(BEGIN) != 1 or words.count(END) != 1 or words.index(BEGIN) > words.index(END):
        raise Trouble(f"{path}: has no '{BEGIN}' before one '{END}': put them back")
    head, rest = words.split(BEGIN)
    path.write_text(f"{head}{BEGIN}\n\n{tables}\n{END}{rest.split(END)[1]}")
