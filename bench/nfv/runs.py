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


def counted(fabric: Fabric, count: int = 800, rate: int = 400, frame_bytes: str = "64", raw: bool = False) -> dict:
    """A burst at a low rate, of which each packet has to come, once and whole."""
    load = Load(frame_bytes, 8, str(rate), count=count, blocking=True, check=True, raw=raw)
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
    return {"sent": sum(a["sent"] for a in sent), "received": sum(b["received"] for b in received)}


def shares(lines: list) -> list:
    return [line["cpu_share"] for line in lines if line.get("cpu_share") is not None]


def case_of(load: Load, pairs: int = 1, chain: int = 0) -> str:
    length = f", chain of {chain}" if chain else ""
    return f"{load.frame_bytes} B, burst {load.burst}, {pairs}vs{pairs}{length}"


def make_measurement(fabric: Fabric, lines: list, load: Load, stolen: float, values: dict) -> Measurement:
    result = Measurement("", "", fabric.switch.name, values)
    had = shares(lines)
    # Who waits in the kernel needs no CPU all the time, and says nothing by having had less.
    result.shortfall = None if load.blocking else 1 - min(had, default=0.0)
    result.stolen = stolen
    values["cpu_share"] = min(had, default=None)
    needed = 2 * len(fabric.pairs) + len(fabric.forwarders) + fabric.switch.pollers
    here = len(cputime.os.sched_getaffinity(0))
    if needed > here and not load.blocking:
        result.notes.append(f"{needed} threads that poll on {here} CPUs")
    return result


def throughput(fabric: Fabric, load: Load) -> Measurement:
    before, began = cputime.read_machine(), cputime.time.monotonic()
    receivers, forwarders, senders = start_all(fabric, "recv", "send", load)
    sent = [sender.result(SLACK + load.seconds + load.warmup) for sender in senders]
    stolen = (cputime.read_machine().steal - before.steal) / (cputime.time.monotonic() - began)
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
        "lost": sum(line["lost"] for line in received),
        "least_pair_mpps": min(came) / 1e6,
        "most_pair_mpps": max(came) / 1e6,
    }
    return make_measurement(fabric, sent + received + passed, load, stolen, values)


def latency(fabric: Fabric, load: Load) -> Measurement:
    """There and back, from when a packet was meant to be sent."""
    before, began = cputime.read_machine(), cputime.time.monotonic()
    servers, forwarders, clients = start_all(fabric, "server", "clientst", load)
    back = [client.result(SLACK + load.seconds + load.warmup) for client in clients]
    stolen = (cputime.read_machine().steal - before.steal) / (cputime.time.monotonic() - began)
    others = [one.stopped() for one in servers + forwarders]
    if fabric.steps.dry:
        return None
    delays = [line["delay_ns"] for line in back if line["delay_ns"]]
    if not delays:
        raise Trouble(f"{fabric.switch.name}: nothing came back")
    values = {f"{name}_us": max(delay[name] for delay in delays) / 1e3 for name in ("p50", "p90", "p99", "p999", "max")}
    values |= {"min_us": min(delay["min"] for delay in delays) / 1e3, "mean_us": sum(delay["mean"] for delay in delays) / len(delays) / 1e3}
    values |= {"back": sum(line["received"] for line in back), "lost": sum(line["lost"] for line in back)}
    return make_measurement(fabric, back + others, load, stolen, values)
