# SPDX-License-Identifier: BSD-3-Clause
"""What others ask of a running capture meanwhile: scrapes, queries of its files, of the service beside it."""

import http.client
import subprocess
import threading
import time
import urllib.request

from . import frames


class Asker(threading.Thread):
    """Asks again and again until `ended` is set. `done` and `refused` count; `wrong` says what was answered wrongly."""

    def __init__(self, name, every, ask):
        super().__init__(name=name, daemon=True)
        self.every, self.ask, self.ended = every, ask, threading.Event()
        self.done, self.refused, self.wrong, self.slowest = 0, 0, [], 0.0

    def run(self):
        while not self.ended.wait(self.every):
            began = time.monotonic()
            try:
                self.ask()
                self.done += 1
            except ValueError as error:
                self.wrong.append(f"{self.name}: {error}")
            except (OSError, http.client.HTTPException, subprocess.SubprocessError):
                self.refused += 1  # as a drive that is away may have it
            self.slowest = max(self.slowest, time.monotonic() - began)


def scrape(url):
    def ask():
        text = urllib.request.urlopen(url, timeout=30).read().decode()
        if "wirespool_books_balanced 1" not in text:
            raise ValueError("the page says that the books do not balance")

    return ask


def in_order(stream):
    """Every frame as it was sent, each later than the one before in number and in time."""
    last, last_stamp = -1, -1
    for stamp, data in frames.packets(stream):
        number = frames.number_of(data)
        if number is None:
            raise ValueError("a frame that was not sent so")
        if number <= last or stamp < last_stamp:
            raise ValueError(f"frame {number} of {stamp} came after {last} of {last_stamp}")
        last, last_stamp = number, stamp


def extract(program, directories):
    """The last ten seconds of the sealed files."""

    def ask():
        command = [program, "extract", *directories, "--from", "-10s", "-w", "-"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            try:
                in_order(child.stdout)
            except frames.Nothing as nothing:
                if child.wait() == 0:  # else it has said why
                    raise
                raise subprocess.CalledProcessError(child.returncode, command) from nothing
            finally:
                child.stdout.close()

    return ask


def query(url):
    """The same by the service, and one host of it by its index."""

    def ask():
        for more in ("", "&filter=host+10.0.0.7"):
            in_order(urllib.request.urlopen(f"{url}/api/extract?from=-10s{more}", timeout=60))

    return ask


def listing(program, directories):
    return lambda: subprocess.run([program, "ls", "--json", *directories], check=False, capture_output=True, timeout=60)
