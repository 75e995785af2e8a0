# SPDX-License-Identifier: BSD-3-Clause
"""Drives of a known speed where there is only one: loop devices, each held back by the kernel's block throttling."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..trouble import Trouble, Unavailable
from .wire import must

MIB = 1 << 20


class LoopDrive:
    """A loop device on a file that has all its room already, with a file system on it. Gone at the end."""

    # Nothing of the file system's own is left for later, when somebody measures.
    MAKE = {"ext4": ["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"], "xfs": ["mkfs.xfs", "-q", "-f", "-K"]}

    def __init__(self, folder: Path):
        self.image, self.mount, self.device, self.file_system = folder / "image", folder / "mount", "", ""

    def make(self, size_mib: int, file_system: str = "ext4"):
        self.mount.mkdir(parents=True)
        must("fallocate", "-l", str(size_mib * MIB), str(self.image))
        self.device = must("losetup", "--find", "--show", "--direct-io=on", str(self.image)).strip()
        must(*self.MAKE[file_system], self.device)
        self.file_system = file_system
        must("mount", self.device, str(self.mount))

    def number(self) -> str:
        device = os.stat(self.device).st_rdev
        return f"{os.major(device)}:{os.minor(device)}"

    def remove(self):
        if self.device:
            for command in (["umount", str(self.mount)], ["losetup", "-d", self.device]):
                subprocess.run(command, capture_output=True, check=False)


class Throttle:
    """A cgroup whose processes write no faster than so many bytes a second to each drive."""

    def __init__(self):
        old, new = Path("/sys/fs/cgroup/blkio"), Path("/sys/fs/cgroup/cgroup.controllers")
        self.version = 1 if (old / "blkio.throttle.write_bps_device").exists() else 2 if new.exists() else 0
        if not self.version:
            raise Unavailable("no cgroup that can hold a drive back: neither blkio (version 1) nor io (version 2)")
        parent = old if self.version == 1 else new.parent
        if self.version == 2 and "io" in new.read_text().split():
            (parent / "cgroup.subtree_control").write_text("+io")
        self.folder = parent / f"wirespool-bench-{os.getpid()}"
        self.folder.mkdir()

    def limit(self, device: str, bytes_per_s: int):
        if self.version == 1:
            (self.folder / "blkio.throttle.write_bps_device").write_text(f"{device} {bytes_per_s}")
        else:
            (self.folder / "io.max").write_text(f"{device} wbps={bytes_per_s}")

    def wrapped(self) -> list:
        """What to put before a command, so that it starts in this cgroup."""
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self.folder / "cgroup.procs")]

    def remove(self):
        self.folder.rmdir()


class LoopDrives:
    """Some drives of so many bytes a second each, for the time of a `with`."""

    def __init__(self, directory: str, count: int, bytes_per_s: int, size_mib: int):
        self.directory, self.count, self.bytes_per_s, self.size_mib = directory, count, bytes_per_s, size_mib
        self.drives, self.throttle, self.root = [], None, None

    def __enter__(self):
        try:
            if shutil.disk_usage(self.directory).free < 2 * self.count * self.size_mib * MIB:
                raise Unavailable(f"{self.directory}: too little room for {self.count} drives of {self.size_mib} MiB")
            self.throttle = Throttle()
            self.root = Path(tempfile.mkdtemp(prefix="wirespool-bench-loop-", dir=self.directory))
            for i in range(self.count):
                self.drives.append(LoopDrive(self.root / str(i)))
                self.drives[-1].make(self.size_mib)
                self.throttle.limit(self.drives[-1].number(), self.bytes_per_s)
        except (Trouble, OSError) as trouble:
            self.__exit__()
            raise Unavailable(f"no loop drives: {trouble}") from trouble
        return self

    def __exit__(self, *_):
        for drive in self.drives:
            drive.remove()
        if self.throttle:
            self.throttle.remove()
        if self.root:
            shutil.rmtree(self.root, ignore_errors=True)

    def directories(self, count: int) -> list:
        return [str(drive.mount) for drive in self.drives[:count]]
