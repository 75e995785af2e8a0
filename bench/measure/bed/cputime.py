# SPDX-License-Identifier: BSD-3-Clause
"""CPU time of threads and of the machine, from /proc: the judge of whether a measurement had the CPUs it needed."""

import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
# What EAL calls its lcores' threads in DPDK 21.11 to 24.11.
WORKER_LCORE = re.compile(r"^(?:lcore|rte|dpdk)-worker-?(\d+)")


@dataclass
class Thread:
    name: str
    ran: float  # seconds on a CPU
    system: float  # seconds of these in the kernel


@dataclass
class Machine:
    busy: float  # CPU seconds, all CPUs, since boot
    steal: float  # CPU seconds that the hypervisor gave to others


@dataclass
class Sample:
    at: float
    threads: dict = field(default_factory=dict)  # tid: Thread
    machine: Machine = None


def read_machine() -> Machine:
    # proc_pid_stat(5): user nice system idle iowait irq softirq steal guest guest_nice; guest is part of user.
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(word) * TICK for word in words)
    return Machine(user + nice + system + irq + softirq, steal)


def read_thread(task: Path) -> Thread:
    stat = (task / "stat").read_text()
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    words = stat[stat.rindex(")") + 2 :].split()
    user, system = int(words[11]) * TICK, int(words[12]) * TICK
    try:
        ran = int((task / "schedstat").read_text().split()[0]) / 1e9  # ns, where stat has hundredths of a second
    except (OSError, IndexError):
        ran = user + system
    return Thread(name, ran, system)


def children(pid: int) -> list:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found


def process_tree(pid: int) -> list:
    tree = [pid]
    for one in tree:
        try:
            tree += children(one)
        except OSError:
            continue  # it has just ended
    return tree


def sample(pid: int) -> Sample:
    """All threads of a process and its children, now."""
    taken = Sample(at=time.monotonic(), machine=read_machine())
    for one in process_tree(pid):
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                taken.threads[int(task.name)] = read_thread(task)
        except (OSError, ValueError):
            continue
    return taken


def polling(taken: Sample, lcores: set = None) -> list:
    """Threads of worker lcores: all of them, or these only. What has nothing to do sleeps."""
    found = []
    for tid, thread in taken.threads.items():
        name = WORKER_LCORE.match(thread.name)
        if name and (lcores is None or int(name.group(1)) in lcores):
            found.append(tid)
    return found


def shortfall(first: Sample, last: Sample, tids: list) -> float:
    """The largest share of the wall time between two samples that one of these threads was not on a CPU."""
    wall = last.at - first.at
    shares = [(last.threads[t].ran - first.threads[t].ran) / wall for t in tids if t in first.threads and t in last.threads]
    return max((1 - share for share in shares), default=1.0)


def share_of_lcore(first: Sample, last: Sample, lcore: int) -> float:
    """What a worker lcore's thread had of a CPU between two samples."""
    (tid,) = polling(last, {lcore})
    return (last.threads[tid].ran - first.threads[tid].ran) / (last.at - first.at)


def cpu_seconds(first: Sample, last: Sample) -> tuple:
    """CPU seconds of all threads between two samples: in all, and in the kernel. Threads of a later start count whole."""
    nothing = Thread("", 0.0, 0.0)
    pairs = [(first.threads.get(tid, nothing), thread) for tid, thread in last.threads.items()]
    return sum(b.ran - a.ran for a, b in pairs), sum(b.system - a.system for a, b in pairs)


def stolen(first: Sample, last: Sample) -> float:
    """CPUs that the hypervisor took away between two samples."""
    return (last.machine.steal - first.machine.steal) / (last.at - first.at)
