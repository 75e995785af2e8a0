#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Numbered frames, for counting outside of wirespool: made as a pcap, sent as datagrams to a guest's card, and found again.

numbered.py make  --frames N [--to MAC] [--run R] [--size BYTES] FILE
numbered.py send  --frames N [--to MAC] [--run R] [--size BYTES] --rate PPS --from SOCKET --card SOCKET
numbered.py check [--frames N | --prefix | --distinct N] [--open] [--run R] DIR...

A frame: destination, source 02:77:..., EtherType 0x88b5 (IEEE 802, local experiments), "wirespl", run, number (8 bytes), filler.
--to any: another destination for each frame, none of them the card's. check reads nanosecond pcap (pcap-savefile(5)) by itself,
merges all files by time, and wants each number once and in order: all N, or (--prefix) all up to some last one. --distinct:
N different numbers or more, in any order. --open: hidden files of a capture that could not end them count too, up to their last record.
"""
import argparse
import glob
import os
import socket
import struct
import sys
import time

HEADER = struct.Struct(">6s6sH7sBQ")
MAGIC = b"wirespl"
SOURCE = bytes.fromhex("027700000001")


def frame(args, number):
    if args.to == "any":
        to = bytes([0x02, 0x99]) + struct.pack(">I", (number * 2654435761) & 0xFFFFFFFF)
    else:
        to = bytes.fromhex(args.to.replace(":", ""))
    return HEADER.pack(to, SOURCE, 0x88B5, MAGIC, args.run, number).ljust(args.size, bytes([number & 0xFF]))


def make(args):
    with open(args.files[0], "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for number in range(args.frames):
            data = frame(args, number)
            out.write(struct.pack("<IIII", 1, number, len(data), len(data)) + data)


def send(args):
    if os.path.exists(args.local):
        os.unlink(args.local)
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wire.bind(args.local)
    start = time.monotonic()
    for number in range(args.frames):
        # A full socket blocks: the card's pace wins over the rate.
        wire.sendto(frame(args, number), args.card)
        ahead = start + (number + 1) / args.rate - time.monotonic()
        if ahead > 0.001:
            time.sleep(ahead)
    print(f"sent {args.frames} frames in {time.monotonic() - start:.1f} s")


def records(path):
    hidden = path.endswith(".open")
    with open(path, "rb") as file:
        head = file.read(24)
        if hidden and not any(head):
            return
        if len(head) < 24 or struct.unpack("<I", head[:4])[0] != 0xA1B23C4D:
            sys.exit(f"{path}: not a nanosecond pcap")
        while True:
            head = file.read(16)
            if not head or (hidden and (len(head) < 16 or not any(head))):
                return
            seconds, nanoseconds, caplen, wirelen = struct.unpack("<IIII", head)
            data = file.read(caplen)
            if len(data) != caplen or caplen != wirelen:
                if hidden:
                    return
                sys.exit(f"{path}: a record is cut")
            yield seconds * 10**9 + nanoseconds, data


def found(args):
    for directory in args.files:
        paths = glob.glob(os.path.join(directory, "*.pcap"))
        if args.open:
            paths += glob.glob(os.path.join(directory, ".*.pcap.open"))
        for path in sorted(paths):
            for stamp, data in records(path):
                if len(data) < HEADER.size:
                    continue
                _, _, ether_type, magic, run, number = HEADER.unpack_from(data)
                if (ether_type, magic, run) == (0x88B5, MAGIC, args.run):
                    yield stamp, number, data


def check(args):
    frames = sorted((stamp, number, data) for stamp, number, data in found(args))
    numbers = [number for _, number, _ in frames]
    if args.distinct is not None:
        if len(set(numbers)) < args.distinct:
            sys.exit(f"{len(set(numbers))} different frames, not {args.distinct}; the largest is {max(numbers, default=-1)}")
        print(len(set(numbers)))
        return
    if args.frames is not None and len(numbers) != args.frames:
        missing = sorted(set(range(args.frames)) - set(numbers))
        sys.exit(f"{len(numbers)} of {args.frames} frames, missing {len(missing)}: {missing[:10]}, "
                 f"twice {len(numbers) - len(set(numbers))}")
    for expected, number in enumerate(numbers):
        if number != expected:
            sys.exit(f"frame {number} stands where {expected} should: {numbers[max(0, expected - 2):expected + 5]}")
    for _, number, data in frames:
        if data[HEADER.size:] != bytes([number & 0xFF]) * (len(data) - HEADER.size):
            sys.exit(f"frame {number} has other bytes")
    print(len(numbers))


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("what", choices=["make", "send", "check"])
parser.add_argument("--frames", type=int)
parser.add_argument("--prefix", action="store_true")
parser.add_argument("--distinct", type=int)
parser.add_argument("--open", action="store_true")
parser.add_argument("--to", default="ff:ff:ff:ff:ff:ff")
parser.add_argument("--run", type=int, default=0)
parser.add_argument("--size", type=int, default=200)
parser.add_argument("--rate", type=float, default=5000)
parser.add_argument("--from", dest="local")
parser.add_argument("--card")
parser.add_argument("files", nargs="*")
arguments = parser.parse_intermixed_args()
{"make": make, "send": send, "check": check}[arguments.what](arguments)
