# SPDX-License-Identifier: BSD-3-Clause
"""Starts contestants, watches their CPU time, and ends what it started."""

import os
import select
import shlex
import signal
import subprocess
import tempfile
import time

from ..trouble import Trouble
from . import cputime


class Process:
    """A child with its output piped; killed if it is still there when the `with` ends."""

    def __init__(self, command: list, stdin=subprocess.DEVNULL):
        self.command = command
        self.errors = tempfile.TemporaryFile(mode="w+", errors="replace")
        try:
            self.child = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=self.errors)
        except OSError as error:
            self.errors.close()
            raise Trouble(f"{command[0]}: {error.strerror}: install it, or leave this contestant out") from error
        self.usage = None
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.returncode is None:
            self.child.kill()
            self.wait(10)
        self.errors.close()
        for pipe in (self.child.stdout, self.child.stdin):
            if pipe:
                pipe.close()

    @property
    def pid(self) -> int:
        return self.child.pid

    def sample(self) -> cputime.Sample:
        return cputime.sample(self.pid)

    def running(self) -> bool:
        return not self._reap(os.WNOHANG)

    def _reap(self, options: int) -> bool:
        if self.child.returncode is None:
            pid, status, usage = os.wait4(self.pid, options)
            if pid:
                self.child.returncode, self.usage = os.waitstatus_to_exitcode(status), usage
        return self.child.returncode is not None

    def wait(self, seconds: float) -> int:
        end = time.monotonic() + seconds
        while not self._reap(os.WNOHANG):
            if time.monotonic() > end:
                self.child.kill()
                self._reap(0)
                raise Trouble(f"{self.name()}: did not end within {seconds:.0f} s: {self.said()}")
            time.sleep(0.02)
        return self.child.returncode

    def finish(self) -> int:
        """Waits for as long as it takes; returns the moment it ends, which wait() may miss by 20 ms."""
        while os.read(self.child.stdout.fileno(), 65536):
            pass
        self._reap(0)
        return self.child.returncode

    def stop(self, seconds: float = 10, by: int = signal.SIGINT) -> int:
        if self.running():
            self.child.send_signal(by)
        return self.wait(seconds)

    def lines(self, seconds: float):
        """Lines of its output as they come, until it closes it."""
        end = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self.child.stdout], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise Trouble(f"{self.name()}: said nothing more for too long: {self.said()}")
            piece = os.read(self.child.stdout.fileno(), 65536)
            *whole, self.rest = (self.rest + piece).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
            if not piece:
                return

    def name(self) -> str:
        words = [word for word in self.command if not word.startswith("-") and "/" in word or word.startswith("dpdk")]
        return os.path.basename((words or self.command)[0])

    def said(self) -> str:
        self.errors.seek(0)
        lines = [line for line in self.errors.read().splitlines() if line.strip() and not line.startswith("EAL: ")]
        return " / ".join(lines[-3:]) or "nothing on stderr"

    def shown(self) -> str:
        return shlex.join(self.command)
