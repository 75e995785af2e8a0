# SPDX-License-Identifier: BSD-3-Clause
"""The drives, the wire, the capture, the service and the sender of a soak; all gone when the `with` ends."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure.bed.loop_drives import Throttle
from measure.bed.wire import Wire
from measure.trouble import Trouble

from .drives import Drive

DRIVE_MIB, KEPT = 1024, "400MiB"
FILE_SYSTEMS = {"a": "ext4", "b": "xfs", "c": "ext4"}  # the last one stays whole


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    """`bytes_per_s`: of each drive, for what the capture writes; None: as fast as it is."""

    def __init__(self, program, where, options, bytes_per_s=None):
        self.program, self.where, self.options, self.bytes_per_s = program, where, options, bytes_per_s
        self.wire, self.drives, self.children, self.folder, self.throttle = Wire(), {}, [], None, None

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="wirespool-soak-", dir=self.where))
        try:
            if shutil.disk_usage(self.folder).free < (len(FILE_SYSTEMS) + 1) * DRIVE_MIB << 20:
                raise Trouble(f"{self.where}: too little room for {len(FILE_SYSTEMS)} drives of {DRIVE_MIB} MiB: name another with --where")
            for name, file_system in FILE_SYSTEMS.items():
                self.drives[name] = Drive(self.folder / name)
                self.drives[name].make(DRIVE_MIB, file_system)
                self.drives[name].spool.mkdir()
            if self.bytes_per_s:
                self.throttle = Throttle()
                for drive in self.drives.values():
                    self.throttle.limit(drive.number(), self.bytes_per_s)
            self.wire.__enter__()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.kill()
                child.wait()
        self.wire.remove()
        for drive in self.drives.values():
            drive.remove()
        if self.throttle:
            self.throttle.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spools(self):
        return [str(drive.spool) for drive in self.drives.values()]

    def start(self, name, command, space=None):
        """In the network namespace, but among this one's mounts, which ip-netns(8) would copy."""
        if space:
            command = ["nsenter", f"--net=/run/netns/{space}", "--", *command]
        out, messages = (open(self.folder / f"{name}.{kind}", "wb") for kind in ("out", "err"))
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=messages)
        out.close()
        messages.close()
        self.children.append(child)
        return child

    def said(self, name):
        return (self.folder / f"{name}.err").read_text(errors="replace").strip()

    def start_capture(self, eal):
        self.metrics = free_port()
        outputs = [word for spool in self.spools() for word in ("--output", spool)]
        flows = self.folder / "flows"
        flows.mkdir()
        own = ["--metrics", f"127.0.0.1:{self.metrics}", "--stats", "json", "--rotate-size", "8MiB", "--rotate-age", "5s", "--block-size", "128KiB",
               "--retain-size", KEPT, "--index", "flow", "--flows", str(flows), "--hole", "500ms", "--on-seal", "true", "--sync-age", "500ms"]
        device = f"net_af_packet0,iface={self.wire.port},blocksz=4096,framesz=2048,framecnt=16384"
        command = [self.program, "capture", *eal, "--no-pci", "--file-prefix", f"wsoak{os.getpid()}", f"--vdev={device}", "--", *outputs, *own, *self.options]
        # The pages are asked for from outside the namespace of the wire: so only its end moves in there.
        subprocess.run(["ip", "-n", self.wire.capture_space, "link", "set", self.wire.port, "netns", str(os.getpid())], check=True)
        subprocess.run(["sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{self.wire.port}/disable_ipv6; ip link set {self.wire.port} up"], check=True)
        self.capture = self.start("capture", (self.throttle.wrapped() if self.throttle else []) + command)
        end = time.monotonic() + 120
        while "capture until" not in self.said("capture"):
            if self.capture.poll() is not None or time.monotonic() > end:
                raise Trouble(f"the capture does not start: {self.said('capture')[-500:]}")
            time.sleep(0.1)

    def start_service(self):
        self.service_port = free_port()
        self.service = self.start("serve", [self.program, "serve", *self.spools(), "--listen", f"127.0.0.1:{self.service_port}"])

    def start_sender(self, rate):
        self.count_file = self.folder / "sent"
        os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
        words = ["send", self.wire.sender, str(rate), str(self.count_file), str(self.sent())]
        self.sender = self.start("sender", [sys.executable, "-m", "soak.frames", *words], self.wire.sender_space)

    def stop_sender(self):
        self.sender.terminate()
        self.sender.wait(30)

    def sent(self):
        try:
            return int(self.count_file.read_text())
        except FileNotFoundError:
            return 0
