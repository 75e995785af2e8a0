# SPDX-License-Identifier: BSD-3-Clause
"""What machine this is: numbers mean nothing without it."""

import os
import platform
import re
import subprocess
from pathlib import Path


def text_of(path) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def output_of(*command) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def first_match(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else ""


def caches() -> str:
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = {"Data": "d", "Instruction": "i"}.get(text_of(index / "type"), "")
        found[f"L{text_of(index / 'level')}{kind}"] = text_of(index / "size")
    return ", ".join(f"{name} {size}" for name, size in found.items())


def processor() -> dict:
    info = text_of("/proc/cpuinfo")
    return {
        "model": first_match(r"^model name\s*:\s*(.*)$", info),
        "family_model_stepping": "/".join(first_match(rf"^{key}\s*:\s*(.*)$", info) for key in ("cpu family", "model", "stepping")),
        "mhz_now": first_match(r"^cpu MHz\s*:\s*(.*)$", info),
        "cpus": os.cpu_count(),
        "threads_per_core": max(1, len(re.findall(r"\d+", text_of("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list")))),
        "numa_nodes": len(list(Path("/sys/devices/system/node").glob("node[0-9]*"))),
        "caches_of_cpu0": caches(),
        "governor": text_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "not shown",
        "isolated": text_of("/sys/devices/system/cpu/isolated") or "none",
        "virtual": output_of("systemd-detect-virt", "--vm") or ("yes" if " hypervisor" in info else "no"),
    }


def memory() -> dict:
    info = text_of("/proc/meminfo")
    gib = int(first_match(r"^MemTotal:\s*(\d+)", info) or 0) / (1 << 20)
    return {
        "gib": round(gib, 1),
        "hugepages": first_match(r"^HugePages_Total:\s*(\d+)", info),
        "hugepage_kib": first_match(r"^Hugepagesize:\s*(\d+)", info),
    }


def drive_of(directory: str) -> dict:
    """The block device and file system under a directory."""
    line = output_of("df", "--output=source,fstype,avail", "-B1", directory).split("\n")[-1].split()
    source, kind, free = line if len(line) == 3 else ("?", "?", "0")
    number = os.stat(directory).st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    disk = device.resolve().parent if (device / "partition").exists() else device
    return {
        "directory": directory,
        "source": source,
        "file_system": kind,
        "device": f"{os.major(number)}:{os.minor(number)}",
        "model": text_of(disk / "device/model") or disk.resolve().name,
        "scheduler": text_of(disk / "queue/scheduler"),
        "free_gib": round(int(free) / (1 << 30), 1),
    }


def software(wirespool: str, tree: str) -> dict:
    return {
        "system": first_match(r'^PRETTY_NAME="(.*)"', text_of("/etc/os-release")),
        "kernel": platform.release(),
        "wirespool": output_of(wirespool, "--version"),
        "commit": output_of("git", "-C", tree, "describe", "--always", "--dirty"),
        "dpdk": output_of("pkg-config", "--modversion", "libdpdk"),
        "compiler": output_of(os.environ.get("CXX", "g++").split()[-1], "--version").split("\n")[0],
        "fio": output_of("fio", "--version"),
    }


def describe(wirespool: str, tree: str, directories: list) -> dict:
    return {
        "processor": processor(),
        "memory": memory(),
        "software": software(wirespool, tree),
        "drives": [drive_of(directory) for directory in directories],
    }


def one_line(machine: dict) -> str:
    cpu, ram = machine["processor"], machine["memory"]
    virtual = "" if cpu["virtual"] in ("no", "none") else f", virtual machine ({cpu['virtual']})"
    return (
        f"{cpu['model']} (family/model/stepping {cpu['family_model_stepping']}), {cpu['cpus']} CPUs, {cpu['caches_of_cpu0']}, "
        f"{ram['gib']} GiB{virtual}; {machine['software']['system']}, Linux {machine['software']['kernel']}, "
        f"DPDK {machine['software']['dpdk']}"
    )
