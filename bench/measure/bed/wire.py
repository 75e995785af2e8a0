# SPDX-License-Identifier: BSD-3-Clause
"""A veth pair between two namespaces of its own, and a sender on it. Touches no interface of the machine."""

import os
import subprocess
from pathlib import Path

from ..trouble import Trouble, Unavailable


def must(*command) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Wire:
    """Made when the `with` begins, gone when it ends. Names carry the process's number, so that two runs do not meet."""

    def __init__(self):
        number = os.getpid() % 100000
        self.sender_space, self.capture_space = f"wsb{number}s", f"wsb{number}c"
        self.sender, self.port = f"wsb{number}a", f"wsb{number}b"

    def __enter__(self):
        try:
            for space in (self.sender_space, self.capture_space):
                must("ip", "netns", "add", space)
                # Else the kernel's own frames (neighbour discovery) are on the wire too.
                no_ipv6 = "test ! -e /proc/sys/net/ipv6 || echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"
                must("ip", "netns", "exec", space, "sh", "-c", no_ipv6)
            ends = ["netns", self.sender_space, "type", "veth", "peer", "name", self.port, "netns", self.capture_space]
            must("ip", "link", "add", self.sender, *ends)
            must("ip", "-n", self.sender_space, "link", "set", self.sender, "up")
            must("ip", "-n", self.capture_space, "link", "set", self.port, "up")
        except (Trouble, OSError) as trouble:
            self.remove()
            raise Unavailable(f"no veth pair: {trouble}: it needs root and network namespaces") from trouble
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        for space in (self.sender_space, self.capture_space):
            subprocess.run(["ip", "netns", "delete", space], capture_output=True, check=False)

    def here(self, command: list) -> list:
        """The command, on the capturing end."""
        return ["ip", "netns", "exec", self.capture_space, *command]

    def counted(self) -> int:
        """Frames the kernel has delivered to the capturing end."""
        return int(must(*self.here(["cat", f"/sys/class/net/{self.port}/statistics/rx_packets"])))

    def packet_sockets(self) -> int:
        return len(must(*self.here(["cat", "/proc/net/packet"])).splitlines()) - 1

    def send(self, trace: Path, kpps: int):
        """All frames of the trace, from memory; 0 kpps: as fast as it goes."""
        speed = ["--pps", str(kpps * 1000)] if kpps else ["--topspeed"]
        command = ["tcpreplay", "-q", "-K", *speed, "-i", self.sender, str(trace)]
        try:
            must("ip", "netns", "exec", self.sender_space, *command)
        except FileNotFoundError as error:
            raise Unavailable("tcpreplay: not installed: apt-get install tcpreplay") from error
