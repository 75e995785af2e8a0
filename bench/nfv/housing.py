# SPDX-License-Identifier: BSD-3-Clause
"""What a node's application lives in: a namespace alone, or a container of podman's or LXC's that is given that namespace.

Containers have one root, an empty tree with this machine's /usr in it, read-only; images and registries are not needed. They see
the run's folder and the program's, and have one CPU each.
"""

import os
from pathlib import Path

from measure.trouble import Trouble

from .steps import Steps

# runc, because crun refuses machines with both kinds of cgroups; no service manager is asked.
CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
"""
LINKS = ("bin", "sbin", "lib", "lib64")
FOLDERS = ("usr", "etc", "proc", "sys", "dev/pts", "dev/shm", "tmp", "run", "var")


class Namespace:
    name = "namespace"
    needs = (("program", "nsenter", "util-linux"), ("program", "taskset", "util-linux"))

    def __init__(self, steps: Steps, run: Path, program: str):
        self.steps, self.run, self.program = steps, run, program

    def set_up(self, nodes: list):
        pass

    def command(self, node, command: list, pin: bool) -> list:
        return ["nsenter", f"--net=/run/netns/{node.space}", "--", *(["taskset", "-c", str(node.cpu)] if pin else []), *command]


class Container(Namespace):
    """One process each; it gets the signals that its starter gets."""

    cgroups = ()  # that its program leaves behind, empty

    @property
    def root(self) -> Path:
        return self.run / "root"

    @property
    def shared(self) -> list:
        """Folders that are the same inside; the machine's libraries read-only."""
        return [("/usr", "ro"), (str(self.run), "rw"), (os.path.dirname(self.program), "ro")]

    def make_root(self):
        if self.steps.dry:
            self.steps.show(f"mkdir -p {' '.join(str(self.root / folder) for folder in FOLDERS)}")
            return
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True)
        for link in LINKS:
            if Path("/", link).is_symlink():
                (self.root / link).symlink_to(os.readlink(f"/{link}"))
        for name in ("passwd", "group", "ld.so.cache", "alternatives"):
            if (source := Path("/etc", name)).is_file():
                (self.root / "etc" / name).write_bytes(source.read_bytes())
        for folder, _ in self.shared:
            (self.root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)


class Podman(Container):
    name = "podman"
    cgroups = ("libpod_parent",)
    needs = (*Namespace.needs, ("program", "podman", "podman"), ("program", "runc", "runc"))

    @property
    def podman(self) -> list:
        own = [f"--root={self.run}/podman", f"--runroot={self.run}/podman-run", "--storage-driver=vfs"]
        return ["env", f"CONTAINERS_CONF={self.run}/containers.conf", "podman", *own]

    def set_up(self, nodes: list):
        self.steps.remove_cgroups(self.cgroups)
        self.make_root()
        if self.steps.dry:
            self.steps.show(f"cat >{self.run}/containers.conf # runc, cgroupfs")
            return
        (self.run / "containers.conf").write_text(CONTAINERS_CONF)
        for node in nodes:
            self.steps.journal.note({"run": [*self.podman, "rm", "-f", "-t", "0", node.name]})

    def command(self, node, command: list, pin: bool) -> list:
        volumes = [f"--volume={folder}:{folder}:{how}" for folder, how in self.shared]
        place = ["--cpuset-cpus", str(node.cpu)] if pin else []
        own = ["run", "--rm", "--name", node.name, "--network", f"ns:/run/netns/{node.space}", "--privileged", *place, *volumes]
        return [*self.podman, *own, "--rootfs", str(self.root), *command]


class Lxc(Container):
    name = "lxc"
    cgroups = ("lxc.pivot",)
    needs = (*Namespace.needs, ("program", "lxc-execute", "lxc"))

    def set_up(self, nodes: list):
        self.steps.remove_cgroups(self.cgroups)
        self.make_root()
        for node in nodes:
            if self.steps.dry:
                self.steps.show(f"cat >{self.settings(node)} # of container {node.name}")
                continue
            self.settings(node).parent.mkdir(parents=True)
            self.settings(node).write_text(self.text(node))
            self.steps.journal.note({"run": ["lxc-stop", "-P", str(self.run / "lxc"), "-n", node.name, "-k"]})

    def settings(self, node) -> Path:
        return self.run / "lxc" / node.name / "config"

    def text(self, node) -> str:
        mounts = [f"lxc.mount.entry = {folder} {folder.lstrip('/')} none {how},bind,create=dir 0 0" for folder, how in self.shared]
        return "\n".join(
            [
                f"lxc.uts.name = {node.name}",
                f"lxc.rootfs.path = dir:{self.root}",
                # Never lxc.net.0.type = none: that is the host's own network.
                f"lxc.namespace.share.net = /run/netns/{node.space}",
                "lxc.mount.auto = proc:rw sys:rw",
                "lxc.apparmor.profile = unconfined",
                "lxc.tty.max = 0",
                "lxc.pty.max = 1",
                *mounts,
            ]
        ) + "\n"

    def command(self, node, command: list, pin: bool) -> list:
        place = ["taskset", "-c", str(node.cpu)] if pin else []
        return ["lxc-execute", "-P", str(self.run / "lxc"), "-n", node.name, "-f", str(self.settings(node)), "--", *place, *command]


HOUSES = {house.name: house for house in (Namespace, Podman, Lxc)}


def find(name: str):
    if name not in HOUSES:
        raise Trouble(f"no house '{name}': nodes live in {', '.join(HOUSES)}")
    return HOUSES[name]
