# SPDX-License-Identifier: BSD-3-Clause
"""Numbered frames: made and sent here, and found again in captures by a reader that is not wirespool's.

python3 -m soak.frames send INTERFACE RATE COUNTFILE [FIRST]   sends from that number on until SIGTERM; COUNTFILE has the number
                                                               of the next: so many did the kernel take, from 0 on
"""

import errno
import glob
import os
import signal
import socket
import struct
import sys
import time

# Ethernet, IPv4 and UDP headers (checksums are 0: not asked for), then a mark, the number, filler.
HEADER = struct.Struct(">6s6sHBBHHHBBHIIHHHH8sQ")
MARK = b"soakfram"
SIZES = [60, 124, 252, 1020, 1514]
FLOWS = 500


def frame(number):
    size = SIZES[number * 2654435761 % (1 << 32) * len(SIZES) >> 32]
    flow = number % FLOWS
    size = max(size, HEADER.size)
    head = HEADER.pack(b"\x02\x99" + bytes(4), b"\x02\x77" + bytes(4), 0x0800, 0x45, 0, size - 14, 0, 0, 64, 17, 0,
                       0x0A000001 + flow, 0x0A010001, 1024 + flow, 53, size - 34, 0, MARK, number)
    return head.ljust(size, bytes([number & 0xFF]))


def number_of(data):
    """None: not one of ours, or its bytes are not those that were sent."""
    if len(data) < HEADER.size:
        return None
    mark, number = HEADER.unpack_from(data)[-2:]
    return number if mark == MARK and data == frame(number) else None


def send(interface, rate, count_file, sent=0):
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((interface, 0))
    start, told = time.monotonic() - sent / rate, 0
    while not stop:
        now = time.monotonic()
        due = int((now - start) * rate)
        # After being held up: not all that is due at once, which no ring would hold.
        if due - sent > rate:
            start += (due - sent) / rate
            continue
        while sent < due and took(wire, frame(sent)):
            sent += 1
        if now - told > 1:
            told = now
            tell(count_file, sent)
        time.sleep(0.002)
    tell(count_file, sent)


def took(wire, data):
    """Whether the kernel took it: a veth device whose other end has a full backlog drops it, and says so."""
    try:
        wire.send(data)
        return True
    except OSError as error:
        if error.errno != errno.ENOBUFS:
            raise
        return False


def tell(count_file, sent):
    with open(count_file + ".new", "w") as file:
        file.write(str(sent))
    os.replace(count_file + ".new", count_file)


class Nothing(ValueError):
    """In place of a pcap, as of who could not begin one."""


def packets(file):
    """(nanoseconds, frame) of each record of a nanosecond pcap of this byte order, pcap-savefile(5)."""
    head = file.read(24)
    if not head:
        raise Nothing("there is not a byte")
    if len(head) < 24 or struct.unpack("<I", head[:4])[0] != 0xA1B23C4D:
        raise ValueError("not a nanosecond pcap")
    while True:
        head = file.read(16)
        if not head:
            return
        seconds, nanoseconds, caplen, wirelen = struct.unpack("<IIII", head)
        data = file.read(caplen)
        if len(data) != caplen or caplen != wirelen:
            raise ValueError("a record is cut")
        yield seconds * 10**9 + nanoseconds, data


def numbers_in(directory):
    """Of every frame in the sealed files of a directory, in the order of its files. ValueError: one is not as it was sent."""
    for path in sorted(glob.glob(os.path.join(directory, "*.pcap"))):
        with open(path, "rb") as file:
            for _, data in packets(file):
                number = number_of(data)
                if number is None:
                    raise ValueError(f"{path}: a frame that was not sent so")
                yield number


if __name__ == "__main__":
    send(sys.argv[2], float(sys.argv[3]), sys.argv[4], *map(int, sys.argv[5:]))
