# SPDX-License-Identifier: BSD-3-Clause
"""How fast packets get onto one and two directories, beside fio on the same ones."""

import os
import shutil
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

from ..bed import Bed
from ..contestants import fio, wirespool
from ..rounds import Turn
from ..trouble import Trouble
from .stages import handoff_kinds

ONE, TWO = "1 directory", "2 directories"
LARGEST_FILE = 24 << 30  # more than any drive of today writes in the time


def drives_are_different(directories: list) -> bool:
    return len({os.stat(directory).st_dev for directory in directories}) == len(directories)


def file_bytes(directories: list) -> int:
    free = min(shutil.disk_usage(directory).free for directory in directories)
    size = min(LARGEST_FILE, free // (2 * len(directories)))
    if size < 2 << 30:
        raise Trouble(f"{directories[0]}: {free >> 30} GiB are free: at least {4 * len(directories)} are needed to measure")
    return size


def settle(directory: str):
    """What earlier writes and deletions left to do is done before the next contestant starts."""
    subprocess.run(["sync", "-f", directory], check=False)
    time.sleep(0.5)


def in_fresh_folders(measure, directories: list):
    """Calls it with an empty folder in each directory, and removes them with all that is in them."""
    for directory in directories:
        settle(directory)
    folders = [tempfile.mkdtemp(prefix="wirespool-bench-", dir=directory) for directory in directories]
    try:
        return measure(folders)
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def fio_writes(bed: Bed, engine: str, folders: list):
    return fio.write(bed, engine, folders, file_bytes(folders))


def wirespool_writes(bed: Bed, trace, options: list, folders: list):
    return wirespool.to_disk(bed, trace, folders, options)


def contestants(bed: Bed, trace, directories: list) -> list:
    """(name, what measures it in given folders)"""
    engines = fio.ENGINES if len(directories) == 1 else fio.ENGINES[:2]
    all_of_them = [(f"fio {engine}", partial(fio_writes, bed, engine)) for engine in engines]
    for kind, options in handoff_kinds(bed):
        all_of_them.append((f"wirespool, {kind}", partial(wirespool_writes, bed, trace, options)))
        if wirespool.supports(bed, "--idle "):
            sleeping = partial(wirespool_writes, bed, trace, [*options, "--idle", "adaptive"])
            all_of_them.append((f"wirespool, {kind}, --idle adaptive", sleeping))
    return all_of_them


def two_drives(bed: Bed) -> bool:
    return len(bed.directories) > 1 and drives_are_different(bed.directories[:2])


def turns(bed: Bed, trace) -> list:
    found, cases = [], [(ONE, bed.directories[:1])]
    if two_drives(bed):
        cases.append((TWO, bed.directories[:2]))
    for case, directories in cases:
        for name, measure in contestants(bed, trace, directories):
            found.append(Turn("disk", case, name, partial(in_fresh_folders, measure, directories)))
    return found


def default_directory(root: Path) -> str:
    """On the drive that holds the tree."""
    folder = root / "drive"
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)
