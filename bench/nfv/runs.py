# SPDX-License-Identifier: BSD-3-Clause
"""One run on a fabric: is it exact, how much goes through, how long does it take."""

from measure.bed import cputime
from measure.measurement import Measurement
from measure.trouble import Trouble

from .applications import Application, Load
from .fabric import Fabric

SLACK = 60  # seconds that an application may take longer than it sends


def start_all(fabric: Fabric, receiving: str, sending: str, load: Load) -> tuple:
    """Receivers, then forwarders from the far end on, then senders: each finds its peer there."""
    receivers = [Application(fabric, receiving, far, near, load) for near, far in fabric.pairs]
    forwarders = [Application(fabric, "forward", node.nics[0], node.nics[0], load, node.nics[1]) for node in reversed(fabric.forwarders)]
    for application in receivers + forwarders:
        application.start()
        if fabric.switch.direct:
            application.wait_ready()  # its socket is what the next one connects to
    for application in receivers + forwarders:
        application.wait_ready()
    senders = [Application(fabric, sending, near, far, load).start() for near, far in fabric.pairs]
    return receivers, forwarders, senders


def ping(fabric: Fabric):
    """One packet of the kernel's own, where there is IP from end to end."""
    if fabric.switch.on_ports or fabric.forwarders:
        return
    for near, far in fabric.pairs:
        try:
            fabric.steps.do(fabric.inside(near.node, ["ping", "-c", "1", "-W", "5", far.ip]))
        except Trouble as trouble:
            raise Trouble(f"{fabric.switch.name}: {far.ip} does not answer a ping: {trouble}") from trouble


COUNTED = {"burst": 8, "size": 64, "rate": "400"}
COUNTED_PACKETS = 800


def counted(fabric: Fabric, raw: bool = False) -> dict:
    """A burst at a low rate, of which each packet has to come, once and whole."""
    count, rate = COUNTED_PACKETS, int(COUNTED["rate"])
    load = Load(str(COUNTED["size"]), COUNTED["burst"], COUNTED["rate"], count=count, blocking=True, check=True, raw=raw)
    receivers, forwarders, senders = start_all(fabric, "recv", "send", load)
    sent = [sender.result(SLACK + count / rate) for sender in senders]
    received = [receiver.result(SLACK) for receiver in receivers]
    for forwarder in forwarders:
        forwarder.stopped()
    if fabric.steps.dry:
        return {}
    for a, b in zip(sent, received):
        wrong = {name: b[name] for name in ("lost", "duplicates", "reordered", "corrupt") if b[name]}
        if a["sent"] != count or b["received"] != count or wrong:
            raise Trouble(f"{fabric.switch.name}: {a['sent']} packets were sent, {b['received']} received {wrong or ''}: not exact at {rate} a second")
    return {"sent": sum(a["sent"] for a in sent), "received": sum(b["received"] for b in received), **missed(received)}


def exact_measurement(switch, counts: dict, pairs: int, chain: int) -> Measurement:
    case = case_of(Load(str(COUNTED["size"]), COUNTED["burst"]), pairs, chain)
    return Measurement("exact", case, switch.name, counts)


def mode_of(switch, load: Load) -> str:
    """How applications reach the wire: what nfv.md's table of sockets tells apart."""
    words = ["dpdk"] if switch.on_ports else ["raw" if load.raw else "udp"] + (["mmsg"] if load.many else [])
    return " ".join(words + (["blocking"] if load.blocking else []))


class Watch:
    """What a hypervisor took, and what the switch's own pollers had of their CPUs, from here on."""

    def __init__(self, fabric: Fabric):
        self.fabric, self.machine, self.began, self.ran = fabric, cputime.read_machine(), cputime.time.monotonic(), fabric.pollers()

    def stolen_and_share(self) -> tuple:
        wall, after = cputime.time.monotonic() - self.began, self.fabric.pollers()
        had = [(after[thread] - ran) / wall for thread, ran in self.ran.items() if thread in after]
        return (cputime.read_machine().steal - self.machine.steal) / wall, min(had, default=None)


def shares(lines: list) -> list:
    return [line["cpu_share"] for line in lines if line.get("cpu_share") is not None]


def case_of(load: Load, pairs: int = 1, chain: int = 0) -> str:
    length = f", chain of {chain}" if chain else ""
    return f"{load.frame_bytes} B, burst {load.burst}, {pairs}vs{pairs}{length}"


def make_measurement(fabric: Fabric, lines: list, load: Load, stolen: float, values: dict, switch: float = None) -> Measurement:
    """`switch`: the share that its pollers had, if it has any that poll all the time."""
    result = Measurement("", "", fabric.switch.name, values)
    had = shares(lines)
    # Who waits in the kernel needs no CPU all the time, and says nothing by having had less.
    needed_all = ([] if load.blocking else [min(had, default=0.0)]) + ([] if switch is None else [switch])
    result.shortfall = 1 - min(needed_all) if needed_all else None
    result.stolen = stolen
    values |= {"cpu_share": min(had, default=None), "switch_cpu_share": switch}
    needed = 2 * len(fabric.pairs) + len(fabric.forwarders) + fabric.switch.pollers
    here = len(cputime.os.sched_getaffinity(0))
    if needed > here and not load.blocking:
        result.notes.append(f"{needed} threads that poll on {here} CPUs")
    return result


def missed(lines: list) -> dict:
    return {name: sum(line[name] for line in lines) for name in ("lost", "duplicates", "reordered")}


def throughput(fabric: Fabric, load: Load) -> Measurement:
    receivers, forwarders, senders = start_all(fabric, "recv", "send", load)
    watch = Watch(fabric)
    sent = [sender.result(SLACK + load.seconds + load.warmup) for sender in senders]
    stolen, switch = watch.stolen_and_share()
    received = [receiver.result(SLACK) for receiver in receivers]
    passed = [forwarder.stopped() for forwarder in forwarders]
    if fabric.steps.dry:
        return None
    seconds = [line["elapsed_ns"] / 1e9 for line in sent]
    came = [line["received"] / time for line, time in zip(received, seconds)]
    values = {
        "mpps": sum(came) / 1e6,
        "gbit": sum(line["received_bytes"] * 8 / time / 1e9 for line, time in zip(received, seconds)),
        "sent_mpps": sum(line["sent"] / time for line, time in zip(sent, seconds)) / 1e6,
        **missed(received),
        "least_pair_mpps": min(came) / 1e6,
        "most_pair_mpps": max(came) / 1e6,
    }
    return make_measurement(fabric, sent + received + passed, load, stolen, values, switch)


def latency(fabric: Fabric, load: Load) -> Measurement:
    """There and back, from when a packet was meant to be sent."""
    servers, forwarders, clients = start_all(fabric, "server", "clientst", load)
    watch = Watch(fabric)
    back = [client.result(SLACK + load.seconds + load.warmup) for client in clients]
    stolen, switch = watch.stolen_and_share()
    others = [one.stopped() for one in servers + forwarders]
    if fabric.steps.dry:
        return None
    delays = [line["delay_ns"] for line in back if line["delay_ns"]]
    if not delays:
        raise Trouble(f"{fabric.switch.name}: nothing came back")
    values = {f"{name}_us": max(delay[name] for delay in delays) / 1e3 for name in ("p50", "p90", "p99", "p999", "max")}
    values |= {"min_us": min(delay["min"] for delay in delays) / 1e3, "mean_us": sum(delay["mean"] for delay in delays) / len(delays) / 1e3}
    values |= {"back": sum(line["received"] for line in back), **missed(back)}
    return make_measurement(fabric, back + others, load, stolen, values, switch)
