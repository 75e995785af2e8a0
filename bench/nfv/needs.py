# SPDX-License-Identifier: BSD-3-Clause
"""What a switch needs and this machine lacks: one line."""

import os
import shutil
import subprocess
from pathlib import Path

from measure.trouble import Unavailable

FUNCTIONS = Path("/sys/bus/pci/devices")
HUGEPAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")


def program(name: str, package: str) -> str:
    if shutil.which(name):
        return ""
    how = f"apt-get install {package}" if package else "it is not packaged in Debian: build it and put it on PATH"
    return f"{name} is not installed: {how}"


def who_may_ask() -> str:
    return "" if os.geteuid() == 0 else "only root can ask the kernel for it: run with sudo"


def link(kind: str, _where: str) -> str:
    """Asked of the kernel in a namespace that is gone at once."""
    if refused := who_may_ask():
        return f"{kind} interfaces: {refused}"
    tried = {"macvlan": "ip link add name ta type dummy && ip link add name tb link ta type macvlan"}.get(kind, f"ip link add name ta type {kind}")
    done = subprocess.run(["unshare", "--net", "sh", "-c", tried], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"this kernel has no {kind} interfaces ({done.stderr.strip().splitlines()[-1]})"


def module(name: str, _where: str) -> str:
    if Path(f"/sys/module/{name}").exists():
        return ""
    done = subprocess.run(["modprobe", name], capture_output=True, check=False) if shutil.which("modprobe") else None
    return "" if done and done.returncode == 0 else f"this kernel has no module {name}"


def classifier(_name: str, _where: str) -> str:
    if refused := who_may_ask():
        return f"clsact, matchall and mirred: {refused}"
    tried = "ip link add name ta type dummy && tc qdisc add dev ta clsact && tc filter add dev ta ingress matchall action mirred egress mirror dev ta"
    done = subprocess.run(["unshare", "--net", "sh", "-c", tried], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else "this kernel has no clsact, matchall and mirred (tc-mirred(8))"


def hugepages(mib: str, _where: str) -> str:
    try:
        free = int((HUGEPAGES / "free_hugepages").read_text()) * 2
    except OSError:
        return "this kernel has no hugepages of 2 MiB"
    return "" if free >= int(mib) else f"{free} MiB of hugepages are free, {mib} are needed: echo {int(mib) // 2} >{HUGEPAGES}/nr_hugepages"


def functions(count: str, _where: str) -> str:
    found = list(FUNCTIONS.glob("*/physfn"))
    return "" if len(found) >= int(count) else f"{len(found)} virtual functions of NICs are here, {count} are needed: wirespool vf create"


KINDS = {check.__name__: check for check in (program, link, module, classifier, hugepages, functions)}


def missing(needs) -> list:
    return [said for kind, name, where in needs if (said := KINDS[kind](name, where))]


def require_root(name: str):
    if os.geteuid() != 0:
        raise Unavailable(f"{name}: network namespaces and interfaces need root: run with sudo")


def require(name: str, needs):
    require_root(name)
    lacking = missing(needs)
    if lacking:
        raise Unavailable(f"{name}: {'; '.join(lacking)}")
