# SPDX-License-Identifier: BSD-3-Clause
"""What is in a pcap, told by the format alone (pcap-savefile(5)) and not by anybody's reader."""

import hashlib
import struct
from pathlib import Path

MAGICS = {0xA1B2C3D4: "<", 0xA1B23C4D: "<", 0xD4C3B2A1: ">", 0x4D3CB2A1: ">"}


def content(paths: list) -> tuple:
    """Packets, and a digest of their lengths and bytes in order, of files one after another."""
    packets, digest = 0, hashlib.blake2b()
    for path in paths:
        data = memoryview(Path(path).read_bytes())
        if len(data) < 24:
            continue
        order = MAGICS[struct.unpack_from("<I", data)[0]]
        header = struct.Struct(order + "II")
        at = 24
        while at + 16 <= len(data):
            caplen, wirelen = header.unpack_from(data, at + 8)
            if at + 16 + caplen > len(data):
                break
            digest.update(wirelen.to_bytes(4, "big"))
            digest.update(data[at + 16 : at + 16 + caplen])
            at, packets = at + 16 + caplen, packets + 1
    return packets, digest.hexdigest()
