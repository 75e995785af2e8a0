# SPDX-License-Identifier: BSD-3-Clause
"""Is the machine quiet enough to measure on?"""

import time
from pathlib import Path

from .cputime import read_machine, read_thread

# CPUs that others may use. A daemon now and then stays below it, a compiler does not.
BUSY_CPUS = 0.15
PATIENCE_SECONDS = 20


def thread_times() -> dict:
    times = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                thread = read_thread(process)
            except (OSError, ValueError, IndexError):
                continue
            times[int(process.name)] = (thread.name, thread.ran)
    return times


def look(seconds: float) -> dict:
    """Who used the CPUs for a while: {"cpus": how many were busy, "steal": ..., "load": 1 min, "by": [(name, cpus)]}"""
    machine, times, start = read_machine(), thread_times(), time.monotonic()
    time.sleep(seconds)
    passed, after = time.monotonic() - start, read_machine()
    users = []
    for pid, (name, ran) in thread_times().items():
        used = (ran - times.get(pid, (name, ran))[1]) / passed
        if used > 0.02:
            users.append((name, round(used, 2)))
    return {
        "cpus": round((after.busy - machine.busy) / passed, 2),
        "steal": round((after.steal - machine.steal) / passed, 2),
        "load": float(Path("/proc/loadavg").read_text().split()[0]),
        "by": sorted(users, key=lambda user: -user[1])[:5],
    }


def is_quiet(seen: dict) -> bool:
    return seen["cpus"] + seen["steal"] <= BUSY_CPUS


def wait_for_quiet(patience: float = PATIENCE_SECONDS) -> dict:
    """Looks for two seconds at a time until it is quiet or patience ends; what was seen last."""
    end = time.monotonic() + patience
    while True:
        seen = look(2.0)
        if is_quiet(seen) or time.monotonic() > end:
            return seen


def describe(seen: dict) -> str:
    users = ", ".join(f"{name} {used}" for name, used in seen["by"]) or "nobody in particular"
    return f"others use {seen['cpus']} CPUs ({users}), the hypervisor {seen['steal']}; load average {seen['load']}"
