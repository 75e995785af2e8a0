#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Traces of flows, and what a capture should make of them, worked out by a second program.

flows.py make TRACE [--packets N] [--seed N] [--fragments]
flows.py cutoff TRACE SIZE headers|nothing SLICE FILE...   pcap files of one capture of the whole trace, in order
flows.py json TRACE FILE...                          records of flows as JSON lines
flows.py python-ipfix TRACE FILE...                  the same in IPFIX, read by python3-ipfix
flows.py ipfixdump TRACE FILE...                     their sums, read by ipfixDump
flows.py tshark-ipfix TRACE FILE...                  their sums, read by tshark
flows.py tshark TRACE FILE...                        JSON lines against tshark's Community IDs and conversations
SLICE: bytes of each packet that --slice keeps, 0: all; prints how many packets --cutoff made shorter or left out, and
then how many --slice made shorter. The others say nothing. Each ends with 0 if all is as it should be; 77: a program it needs is missing.
"""

import base64
import collections
import hashlib
import ipaddress
import json
import random
import re
import shutil
import struct
import subprocess
import sys

MAGIC_NS = 0xA1B23C4D
FIN, SYN, RST, ACK = 1, 2, 4, 16
FRAGMENTS = ipaddress.ip_network("10.9.0.0/16")


# ---- pcap

def read_pcap(path):
    """(seconds and nanoseconds, wire length, bytes) of each packet."""
    with open(path, "rb") as file:
        data = file.read()
    assert struct.unpack_from("<I", data)[0] == MAGIC_NS, path
    offset = 24
    while offset < len(data):
        seconds, nanoseconds, caplen, wirelen = struct.unpack_from("<IIII", data, offset)
        yield (seconds, nanoseconds), wirelen, data[offset + 16:offset + 16 + caplen]
        offset += 16 + caplen


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", MAGIC_NS, 2, 4, 0, 0, 262144, 1))
        for number, frame in enumerate(frames):
            file.write(struct.pack("<IIII", 1767225600 + number // 10**6, number % 10**6 * 1000, len(frame), len(frame)))
            file.write(frame)


# ---- frames to send

MACS = bytes.fromhex("020000000001020000000002")


def ipv4(protocol, source, destination, payload, fragment=0):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, fragment, 64, protocol, 0,
                         source.packed, destination.packed)
    return b"\x08\x00" + header + payload


def ipv6(protocol, source, destination, payload, extension=False):
    if extension:  # destination options of 8 bytes, padding in them
        payload, protocol = bytes([protocol, 0, 1, 4, 0, 0, 0, 0]) + payload, 60
    header = struct.pack(">IHBB16s16s", 6 << 28, len(payload), protocol, 64, source.packed, destination.packed)
    return b"\x86\xdd" + header + payload


def tcp(source, destination, flags, size):
    return struct.pack(">HHIIBBHHH", source, destination, 1, 1, 0x50, flags, 1000, 0, 0) + bytes(size)


def udp(source, destination, size):
    return struct.pack(">HHHH", source, destination, 8 + size, 0) + bytes(size)


class Conversation:
    """Two ends, and what is left to say; next() is a frame."""

    def __init__(self, number, rng, fragments):
        self.rng, self.kind = rng, rng.choice(["tcp", "tcp", "tcp", "udp", "icmp", "esp"])
        self.fragments = fragments and self.kind == "udp" and number % 5 == 0
        self.v6 = not self.fragments and number % 4 == 1
        if self.v6:
            self.ends = [ipaddress.ip_address(f"2001:db8::{rng.randrange(16):x}:{number:x}:{end}") for end in (1, 2)]
        else:
            network = 9 if self.fragments else 0
            ends = (number // 250 % 250, number % 250)
            self.ends = [ipaddress.ip_address(f"10.{network}.{ends[0]}.{ends[1]}"),
                         ipaddress.ip_address(f"192.168.{ends[1]}.{ends[0]}")]
        rng.shuffle(self.ends)
        self.ports = [rng.randrange(1024, 65536), rng.choice([80, 443, 53])]
        tag = struct.pack(">HH", 0x8100, number % 4000 + 1)
        self.tags = [b"", b"", tag, b"\x88\xa8\x00\x07" + tag, b"\x88\x47\x00\x01\x01\x40"][number % 5]
        turns = [(rng.randrange(2), rng.choice([0, 6, 100, 1300])) for _ in range(rng.randrange(1, 40))]
        self.left = [(way, size, ACK) for way, size in turns]
        if self.kind == "tcp":
            end = [(1, 0, RST)] if number % 3 == 0 else [(0, 10, FIN | ACK), (1, 0, FIN | ACK)]
            self.left = [(0, 0, SYN), (1, 0, SYN | ACK)] + self.left + end

    def next(self):
        way, size, flags = self.left.pop(0)
        ports = self.ports if way == 0 else self.ports[::-1]
        ends = self.ends if way == 0 else self.ends[::-1]
        if self.kind == "tcp":
            protocol, payload = 6, tcp(*ports, flags, size)
        elif self.kind == "udp":
            protocol, payload = 17, udp(*ports, size)
        elif self.kind == "icmp":
            kind = (128, 129)[way] if self.v6 else (8, 0)[way]
            protocol, payload = 58 if self.v6 else 1, bytes([kind, 0, 0, 0, 0, 1, 0, 1]) + bytes(size)
        else:
            protocol, payload = 50, bytes(8 + size)
        network = self.packet(protocol, ends, payload)
        if self.tags[:2] == b"\x88\x47":  # MPLS has no EtherType of what it carries
            network = network[2:]
        frame = MACS + self.tags + network
        return frame + bytes(max(0, 60 - len(frame)))

    def packet(self, protocol, ends, payload):
        if self.v6:
            return ipv6(protocol, *ends, payload, extension=self.rng.random() < 0.2)
        if self.fragments:  # the first of several, or a later one
            later = self.rng.random() < 0.5
            return ipv4(protocol, *ends, payload, 185 if later else 0x2000)
        return ipv4(protocol, *ends, payload)


def make(path, packets=20000, seed=1, fragments=False):
    rng, frames, talking, number = random.Random(seed), [], [], 0
    while len(frames) < packets:
        while len(talking) < 200:
            talking.append(Conversation(number, rng, fragments))
            number += 1
        talk = rng.choice(talking)
        frames.append(talk.next())
        if not talk.left:
            talking.remove(talk)
        if rng.random() < 0.02:
            frames.append(MACS + b"\x08\x06" + bytes(46))
    write_pcap(path, frames)


# ---- frames read

class Packet:
    """ends: ((address, port), (address, port)), source first; flow: the same for both directions."""

    def __init__(self, frame):
        self.ends = None
        self.flags, offset, self.vlan = 0, 12, []
        kind, = struct.unpack_from(">H", frame, offset)
        while kind in (0x8100, 0x88A8):
            self.vlan.append(struct.unpack_from(">H", frame, offset + 2)[0] & 0xFFF)
            offset += 4
            kind, = struct.unpack_from(">H", frame, offset)
        offset += 2
        if kind == 0x8847:
            while not frame[offset + 2] & 1:
                offset += 4
            offset += 4
            kind = 0x0800 if frame[offset] >> 4 == 4 else 0x86DD
        self.headers = offset
        if kind == 0x0800:
            self.read_ipv4(frame, offset)
        elif kind == 0x86DD:
            self.read_ipv6(frame, offset)

    def read_ipv4(self, frame, ip):
        self.protocol = frame[ip + 9]
        self.bytes, = struct.unpack_from(">H", frame, ip + 2)
        addresses = [ipaddress.ip_address(frame[ip + at:ip + at + 4]) for at in (12, 16)]
        self.headers = ip + (frame[ip] & 15) * 4
        later = struct.unpack_from(">H", frame, ip + 6)[0] & 0x1FFF
        self.read_transport(frame, addresses, later)

    def read_ipv6(self, frame, ip):
        self.protocol = frame[ip + 6]
        self.bytes = 40 + struct.unpack_from(">H", frame, ip + 4)[0]
        addresses = [ipaddress.ip_address(frame[ip + at:ip + at + 16]) for at in (8, 24)]
        self.headers = ip + 40
        while self.protocol == 60:
            self.protocol, length = frame[self.headers], frame[self.headers + 1]
            self.headers += (length + 1) * 8
        self.read_transport(frame, addresses, False)

    def read_transport(self, frame, addresses, later):
        at, ports = self.headers, (None, None)
        if not later and self.protocol in (6, 17):
            ports = struct.unpack_from(">HH", frame, at)
            self.headers += (frame[at + 12] >> 4) * 4 if self.protocol == 6 else 8
            self.flags = frame[at + 13] if self.protocol == 6 else 0
        elif not later and self.protocol in (1, 58):
            kind = frame[at]
            ports = (kind, {8: 0, 0: 8, 128: 129, 129: 128}[kind])
            self.headers += 8 if self.protocol == 1 else 4
        self.ends = tuple(zip(addresses, ports))
        self.flow = (tuple(sorted(self.ends, key=str)), self.protocol, tuple(self.vlan))


def community_id(ends, protocol):
    ordered = sorted(ends, key=lambda end: (end[0].packed, end[1] or 0))
    data = b"\0\0" + ordered[0][0].packed + ordered[1][0].packed + bytes([protocol, 0])
    if ends[0][1] is not None:
        data += struct.pack(">HH", ordered[0][1], ordered[1][1])
    return "1:" + base64.b64encode(hashlib.sha1(data).digest()).decode()


# ---- what a capture should have

def complain(text):
    print(text)
    sys.exit(1)


def cutoff(trace, size, then, slice_to, *files):
    stored = sorted((packet for path in files for packet in read_pcap(path)), key=lambda packet: packet[0])
    before, at, shortened, sliced, most = collections.Counter(), 0, 0, 0, int(slice_to)
    for number, (_, wirelen, frame) in enumerate(read_pcap(trace)):
        packet, keep = Packet(frame), frame
        if packet.ends is not None:
            behind = before[packet.flow] >= int(size) and not packet.flags & (SYN | FIN | RST)
            before[packet.flow] += wirelen
            if behind and then == "nothing":
                shortened += 1
                continue
            if behind and packet.headers < wirelen:
                keep = frame[:packet.headers]
                shortened += 1
        if at == len(stored):
            complain(f"packet {number} of the trace is not stored, nor is any behind it")
        if most and len(keep) > most:
            keep = keep[:most]
            sliced += 1
        if stored[at][1] != wirelen or stored[at][2] != keep:
            complain(f"packet {number} of the trace: stored packet {at} has {len(stored[at][2])} of {stored[at][1]} "
                     f"bytes, not {len(keep)} of {wirelen}, or others")
        at += 1
    if at != len(stored):
        complain(f"{len(stored) - at} packets are stored too many")
    print(shortened, sliced)


def expected(trace):
    """By flow, VLANs and direction: packets, bytes, flags."""
    flows = {}
    for _, _, frame in read_pcap(trace):
        packet = Packet(frame)
        if packet.ends is None:
            continue
        sums = flows.setdefault((packet.ends, packet.protocol, tuple(packet.vlan)), [0, 0, 0])
        sums[0] += 1
        sums[1] += packet.bytes
        sums[2] |= packet.flags
    return flows


def read_json(files):
    for path in files:
        with open(path, encoding="ascii") as lines:
            for line in lines:
                yield json.loads(line)


class Found(dict):
    """The same, of records."""

    def add(self, ends, protocol, vlan, sums):
        if sums[0] == 0:
            return
        mine = self.setdefault((ends, protocol, vlan), [0, 0, 0])
        mine[0] += sums[0]
        mine[1] += sums[1]
        mine[2] |= sums[2]

    def compare(self, wanted):
        for key in wanted:
            if self.get(key) != wanted[key]:
                complain(f"{key}: {self.get(key)} in the records, {wanted[key]} in the trace")
        for key in self:
            if key not in wanted:
                complain(f"{key}: not in the trace")


def ports_of(record, protocol, has_none):
    """A record has 0 where there are no ports."""
    return (None, None) if has_none or protocol not in (1, 6, 17, 58) else tuple(record)


def add_record(found, addresses, ports, protocol, vlan, there, back):
    fragment = addresses[0] in FRAGMENTS or addresses[1] in FRAGMENTS
    ends = tuple(zip(addresses, ports_of(ports, protocol, fragment and ports == (0, 0))))
    found.add(ends, protocol, vlan, there)
    found.add(ends[::-1], protocol, vlan, back)
    return ends


def check_json(trace, *files):
    found = Found()
    for record in read_json(files):
        addresses = [ipaddress.ip_address(record[name]) for name in ("src_ip", "dst_ip")]
        if [str(address) for address in addresses] != [record["src_ip"], record["dst_ip"]]:
            complain(f"an address in another form than the usual one: {record}")
        ends = add_record(found, addresses, (record["src_port"], record["dst_port"]), record["proto"],
                          tuple(record["vlan"]), (record["packets"], record["bytes"], record["tcp_flags"]),
                          (record["packets_rev"], record["bytes_rev"], record["tcp_flags_rev"]))
        known = ends[0][1] is not None or record["proto"] not in (1, 6, 17, 58)  # not of a fragment without ports
        if record["community_id"] != (community_id(ends, record["proto"]) if known else None):
            complain(f"Community ID {community_id(ends, record['proto'])} expected: {record}")
        if record["first"] > record["last"] or record["packets"] == 0:
            complain(f"times or packets that cannot be: {record}")
    found.compare(expected(trace))


def python_ipfix(trace, *files):
    try:
        import ipfix.ie
        import ipfix.reader
    except ImportError:
        sys.exit(77)
    ipfix.ie.use_iana_default()
    ipfix.ie.use_5103_default()
    found = Found()
    for path in files:
        with open(path, "rb") as file:
            for record in ipfix.reader.from_stream(file).namedict_iterator():
                v6 = "sourceIPv6Address" in record
                addresses = [record[f"{end}IPv{6 if v6 else 4}Address"] for end in ("source", "destination")]
                ports = (record["sourceTransportPort"], record["destinationTransportPort"])
                vlan = tuple(record[name] for name in ("vlanId", "dot1qCustomerVlanId") if name in record)
                names = ("packetDeltaCount", "octetDeltaCount", "tcpControlBits")
                reverse = ["reverse" + name[0].upper() + name[1:] for name in names]
                if record["flowStartNanoseconds"] > record["flowEndNanoseconds"]:
                    complain(f"ends before it begins: {record}")
                add_record(found, addresses, ports, record["protocolIdentifier"], vlan,
                           [record[name] for name in names], [record[name] for name in reverse])
    found.compare(expected(trace))


def sums_of(trace):
    flows = expected(trace).values()
    return sum(sums[0] for sums in flows), sum(sums[1] for sums in flows)


def run(*command):
    if shutil.which(command[0]) is None:
        sys.exit(77)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr and "root" not in done.stderr:
        complain(f"{' '.join(command)}: {done.returncode}: {done.stderr}")
    return done.stdout


def compare_sums(who, found, trace):
    if found != sums_of(trace):
        complain(f"{who} finds {found} packets and bytes, the trace has {sums_of(trace)}")


def ipfixdump(trace, *files):
    text = "".join(run("ipfixDump", "--in", str(path)) for path in files)
    sums = [sum(map(int, re.findall(rf"^\s*\([\d/]+\)\s+(?:{name}|reverse{name[0].upper()}{name[1:]}) : (\d+)$", text, re.M)))
            for name in ("packetDeltaCount", "octetDeltaCount")]
    compare_sums("ipfixDump", tuple(sums), trace)


def tshark_ipfix(trace, *files):
    """tshark names a field by its element; those of the way back say so."""
    packets = octets = 0
    for path in files:
        text = run("tshark", "-r", str(path), "-V")
        packets += sum(map(int, re.findall(r"^ *(?:Reverse )?(?:Packets|Packet Delta Count): *(\d+)", text, re.M)))
        octets += sum(map(int, re.findall(r"^ *(?:Reverse )?(?:Octets|Octet Delta Count): *(\d+)", text, re.M)))
        if "Malformed" in text:
            complain(f"tshark calls {path} malformed")
    compare_sums("tshark", (packets, octets), trace)


def tshark(trace, *files):
    listed = run("tshark", "-r", str(trace), "--enable-protocol", "communityid", "-T", "fields",
                 "-Y", "tcp || udp || icmp || icmpv6", "-e", "communityid")
    theirs = collections.Counter(word.split(",")[-1] for word in listed.split("\n") if word)
    ours = collections.Counter()
    for record in read_json(files):
        if record["proto"] in (1, 6, 17, 58):  # tshark knows no ID of other protocols
            ours[record["community_id"]] += record["packets"] + record["packets_rev"]
    for identity in theirs.keys() | ours.keys():
        if theirs[identity] != ours[identity]:
            complain(f"{identity}: {ours[identity]} packets in the records, {theirs[identity]} by tshark")
    text = run("tshark", "-q", "-r", str(trace), "-z", "conv,ip", "-z", "conv,ipv6")
    conversations = sum(map(int, re.findall(r"<-> \S+ +(?:\d+ \S+ \S+ +){2}(\d+) ", text)))
    if conversations != sums_of(trace)[0]:
        complain(f"tshark's conversations have {conversations} packets, the trace has {sums_of(trace)[0]}")


def main(arguments):
    verb, trace, rest = arguments[0], arguments[1], arguments[2:]
    if verb == "make":
        fragments = "--fragments" in rest
        words = [word for word in rest if word != "--fragments"]
        options = dict(zip(words[::2], words[1::2]))
        make(trace, int(options.get("--packets", 20000)), int(options.get("--seed", 1)), fragments)
        return
    verbs = {"cutoff": cutoff, "json": check_json, "python-ipfix": python_ipfix, "ipfixdump": ipfixdump,
             "tshark-ipfix": tshark_ipfix, "tshark": tshark}
    verbs[verb](trace, *rest)


if __name__ == "__main__":
    main(sys.argv[1:])
