# SPDX-License-Identifier: BSD-3-Clause
"""Drives of the soak's own, and what befalls them: each fault strikes, lasts, and is mended."""

import fcntl
import os
import signal
import subprocess
import time

from measure.bed.loop_drives import LoopDrive
from measure.bed.wire import must
from measure.trouble import Trouble

XFS_IOC_GOINGDOWN = 0x8004587D  # _IOR('X', 125, u32): xfs_io(8), "shutdown"
LOG_IS_WRITTEN = 1


class Drive(LoopDrive):
    """One that can be taken away and brought back."""

    def remove(self):
        for command in (["fsfreeze", "--unfreeze"], ["umount", "--lazy"]):  # frozen, or still read by somebody
            subprocess.run([*command, str(self.mount)], capture_output=True, check=False)
        super().remove()

    @property
    def spool(self):
        return self.mount / "spool"

    def mount_again(self):
        for _ in range(600):  # until the capture and its readers have let go of it
            if subprocess.run(["umount", str(self.mount)], capture_output=True, check=False).returncode == 0:
                must("mount", self.device, str(self.mount))
                return
            time.sleep(0.1)
        raise Trouble(f"{self.mount}: busy for a minute: somebody holds it")


def fill(drive, _):
    subprocess.run(["dd", "if=/dev/zero", f"of={drive.mount}/filler", "bs=64K", "oflag=direct", "status=none"], capture_output=True, check=False)


def make_room(drive, _):
    os.unlink(drive.mount / "filler")


def go_down(drive, _):
    fd = os.open(drive.mount, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(fd, XFS_IOC_GOINGDOWN, LOG_IS_WRITTEN.to_bytes(4, "little"))
    finally:
        os.close(fd)


def find_an_error(drive, _):
    must("mount", "-o", "remount,errors=remount-ro", str(drive.mount))
    with open(f"/sys/fs/ext4/{os.path.basename(drive.device)}/trigger_fs_error", "w") as trigger:
        trigger.write("a test")


def mount_again(drive, _):
    drive.mount_again()


def freeze(drive, _):
    must("fsfreeze", "--freeze", str(drive.mount))


def thaw(drive, _):
    must("fsfreeze", "--unfreeze", str(drive.mount))


def rename(drive, _):
    os.rename(drive.spool, drive.mount / "spool.moved")


def rename_back(drive, _):
    os.rename(drive.mount / "spool.moved", drive.spool)


def stop(_, pid):
    os.kill(pid, signal.SIGSTOP)


def go_on(_, pid):
    os.kill(pid, signal.SIGCONT)


def signals(_, pid):
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM, signal.SIGWINCH):
        os.kill(pid, number)
        time.sleep(0.05)


def nothing(_, __):
    pass


class Fault:
    """Of a drive with that file system (None: any), or of the process; `lasts` seconds from strike to mend."""

    def __init__(self, name, strike, mend, lasts, file_system=None):
        self.name, self.strike, self.mend, self.lasts, self.file_system = name, strike, mend, lasts, file_system


FAULTS = [
    Fault("it fills", fill, make_room, 10),
    Fault("it stands still", freeze, thaw, 10, "xfs"),
    Fault("it stands still", freeze, thaw, 10, "ext4"),
    Fault("XFS goes down", go_down, mount_again, 5, "xfs"),
    Fault("ext4 finds an error", find_an_error, mount_again, 5, "ext4"),
    Fault("its directory is renamed", rename, rename_back, 5),
    Fault("SIGSTOP", stop, go_on, 1),
    Fault("signals nobody asked for", signals, nothing, 0),
]
