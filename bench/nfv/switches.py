# SPDX-License-Identifier: BSD-3-Clause
"""Switches as data: what each needs, and the commands that make it and one port of it.

In commands, {space} is the switch's network namespace, {run} its folder, {port} a port's name, {at} its number from 1, {end},
{end_space} and {mac} the interface, namespace and address of who is at the port, {program} wirespool, {eal} what EAL of a process
beside the ends is given.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Daemon:
    """A program of the switch's own, started in its namespace."""

    name: str
    command: str
    ready: str  # a file that is there once it listens


@dataclass(frozen=True)
class Switch:
    name: str
    what: str
    # veth: a pair to each end; own: `port` makes the end; memif, vhost: a socket between two ends; vhost-server, vhost-client: the
    # switch is that side of the socket; vf: a function of a NIC
    link: str
    needs: tuple = ()  # (kind, name, where it is from), see needs.py
    make: tuple = ()  # commands and Daemons, in turn
    port: tuple = ()
    flow: tuple = ()  # a frame to {mac} goes to {port}, so that nothing has to be learned
    segment: tuple = ()  # {segment} of a chain, from 1
    isolate: tuple = ()  # {port} is in {segment}, with one other
    mirror: tuple = ()  # what ports receive is copied to {port}
    mirrored: tuple = ()  # the same, a command for each other port: {other}
    pollers: int = 0  # CPUs that the switch itself uses up, whatever comes
    direct: bool = False  # each pair has a wire of its own
    settings: tuple = ()  # (file in {run}, text)

    @property
    def on_ports(self) -> bool:
        """Its ends are ports of DPDK, without the kernel's IP."""
        return self.link not in ("veth", "own")


CONTROL = "env OVS_RUNDIR={run} ovs-vsctl --db=unix:{run}/db.sock"
NEED_OVS = ("program", "ovs-vsctl", "openvswitch-switch")


def open_vswitch(settings: str, vswitchd: str = "ovs-vswitchd") -> tuple:
    """A database and a switch of its own, both in {run}."""
    quiet = "--log-file={run}/%s.log -vconsole:off --unixctl={run}/%s.ctl"
    return (
        "ovsdb-tool create {run}/conf.db /usr/share/openvswitch/vswitch.ovsschema",
        Daemon(
            "ovsdb-server",
            "env OVS_RUNDIR={run} ovsdb-server {run}/conf.db --remote=punix:{run}/db.sock " + quiet % ("ovsdb", "ovsdb"),
            "{run}/db.sock",
        ),
        CONTROL + " --no-wait init -- add-br br0 -- set bridge br0 " + settings,
        Daemon("ovs-vswitchd", f"env OVS_RUNDIR={{run}} {vswitchd} unix:{{run}}/db.sock " + quiet % ("vswitchd", "vswitchd"), "{run}/br0.mgmt"),
    )


OVS_PORT = CONTROL + " --timeout=30 add-port br0 {port} -- set interface {port} ofport_request={at}"
OVS_FLOW = ("env OVS_RUNDIR={run} ovs-ofctl -O OpenFlow13 add-flow br0 priority=10,dl_dst={mac},actions=output:{at}",)
OVS_ISOLATE = (CONTROL + " --timeout=30 set port {port} tag=1{segment}",)
OVS_MIRROR = (CONTROL + " --timeout=30 -- --id=@p get port {port} -- --id=@m create mirror name=span select-all=true output-port=@p -- set bridge br0 mirrors=@m",)
OVS_DPDK = (
    "datapath_type=netdev -- set open_vswitch . other_config:dpdk-init=true other_config:dpdk-socket-mem=256 other_config:dpdk-socket-limit=256"
    " other_config:pmd-cpu-mask={switch_mask} other_config:dpdk-lcore-mask={switch_mask}"
    ' \'other_config:dpdk-extra="--in-memory --no-pci --no-telemetry --file-prefix={prefix}"\''
)

VPP_STARTUP = """unix { nodaemon cli-listen {run}/cli.sock runtime-dir {run} log {run}/vpp.log startup-config {run}/ports.vpp }
cpu { main-core {switch_cpu} }
plugins { plugin default { disable } plugin vhost_plugin.so { enable } }
"""
SNABB_SWITCH = """local VhostUser = require("apps.vhost.vhost_user").VhostUser
local bridge = require("apps.bridge.learning").bridge
local c = config.new()
local names = {}
for at = 1, {ports} do
  names[at] = "p" .. at
  config.app(c, names[at], VhostUser, {socket_path = "{run}/p" .. at .. ".sock", is_server = true})
end
config.app(c, "switch", bridge, {ports = names})
for _, name in ipairs(names) do
  config.link(c, name .. ".tx -> switch." .. name)
  config.link(c, "switch." .. name .. " -> " .. name .. ".rx")
end
engine.configure(c)
engine.main()
"""

_ALL = (
    Switch("veth", "one veth pair: no switch, the kernel's limit", "veth", (("link", "veth", "kernel"),), direct=True),
    Switch(
        "linux-bridge",
        "the kernel's bridge, a veth pair to each end",
        "veth",
        (("link", "veth", "kernel"), ("link", "bridge", "kernel")),
        ("ip -n {space} link add br0 type bridge", "ip -n {space} link set br0 up"),
        ("ip -n {space} link set {port} master br0",),
        segment=("ip -n {space} link add br{segment} type bridge", "ip -n {space} link set br{segment} up"),
        isolate=("ip -n {space} link set {port} master br{segment}",),
        mirrored=(
            "tc -n {space} qdisc add dev {other} clsact",
            "tc -n {space} filter add dev {other} ingress matchall action mirred egress mirror dev {port}",
        ),
    ),
    Switch(
        "linux-hub",
        "the kernel's bridge that learns nothing: all frames go everywhere",
        "veth",
        (("link", "veth", "kernel"), ("link", "bridge", "kernel")),
        ("ip -n {space} link add br0 type bridge ageing_time 0", "ip -n {space} link set br0 up"),
        ("ip -n {space} link set {port} master br0", "ip -n {space} link set {port} type bridge_slave learning off"),
        mirror=("ip -n {space} link show {port}",),  # it is one already
    ),
    Switch(
        "macvlan",
        "macvlan in bridge mode over one parent",
        "own",
        (("link", "macvlan", "kernel"), ("link", "dummy", "kernel")),
        ("ip -n {space} link add up0 type dummy", "ip -n {space} link set up0 up"),
        ("ip -n {space} link add {end} link up0 netns {end_space} address {mac} type macvlan mode bridge",),
    ),
    Switch(
        "ovs-kernel",
        "Open vSwitch with the kernel's datapath, a veth pair to each end",
        "veth",
        (NEED_OVS, ("module", "openvswitch", "kernel"), ("link", "veth", "kernel")),
        open_vswitch("datapath_type=system"),
        (OVS_PORT,),
        OVS_FLOW,
        (),
        OVS_ISOLATE,
        OVS_MIRROR,
    ),
    Switch(
        "ovs-netdev",
        "Open vSwitch without the kernel's datapath, veth pairs by packet sockets",
        "veth",
        (NEED_OVS, ("link", "veth", "kernel")),
        open_vswitch("datapath_type=netdev"),
        (OVS_PORT,),
        OVS_FLOW,
        (),
        OVS_ISOLATE,
        OVS_MIRROR,
        pollers=1,
    ),
    Switch(
        "ovs-dpdk",
        "Open vSwitch with DPDK, vhost-user to virtio-user",
        "vhost-client",
        (NEED_OVS, ("program", "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk", "openvswitch-switch-dpdk"), ("hugepages", "320", "")),
        open_vswitch(OVS_DPDK, "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"),
        (OVS_PORT + " type=dpdkvhostuserclient options:vhost-server-path={run}/{port}.sock",),
        OVS_FLOW,
        (),
        OVS_ISOLATE,
        OVS_MIRROR,
        pollers=1,
    ),
    Switch("memif", "one memif: no switch, DPDK's limit", "memif", (("hugepages", "128", ""),), direct=True),
    Switch("vhost", "vhost-user to virtio-user: no switch", "vhost", (("hugepages", "128", ""),), direct=True),
    Switch(
        "basicfwd",
        "dpdk-forward between two vhost-user ports: no switching",
        "vhost-server",
        (("hugepages", "192", ""),),
        (
            Daemon(
                "dpdk-forward",
                "{program} dpdk-forward {eal} --vdev net_vhost0,iface={run}/{first}.sock --vdev net_vhost1,iface={run}/{second}.sock -- -b 32 -s",
                "{run}/{second}.sock",
            ),
        ),
        pollers=1,
        direct=True,
    ),
    Switch(
        "vpp",
        "VPP, vhost-user to virtio-user",
        "vhost-client",
        (("program", "vpp", ""), ("program", "vppctl", ""), ("hugepages", "512", "")),
        (Daemon("vpp", "vpp -c {run}/startup.conf", "{run}/cli.sock"),),
        (
            "vppctl -s {run}/cli.sock create vhost-user socket {run}/{port}.sock",
            "vppctl -s {run}/cli.sock set interface l2 bridge VirtualEthernet0/0/{from_0} 1",
            "vppctl -s {run}/cli.sock set interface state VirtualEthernet0/0/{from_0} up",
        ),
        pollers=1,
        settings=(("startup.conf", VPP_STARTUP), ("ports.vpp", "create bridge-domain 1 learn 1 forward 1 flood 1\n")),
    ),
    Switch(
        "snabb",
        "Snabb's learning bridge, vhost-user to virtio-user",
        "vhost-server",
        (("program", "snabb", ""), ("hugepages", "512", "")),
        (Daemon("snabb", "taskset -c {switch_cpu} snabb snsh {run}/switch.lua", "{run}/p1.sock"),),
        pollers=1,
        settings=(("switch.lua", SNABB_SWITCH),),
    ),
    Switch("sriov", "virtual functions of one NIC", "vf", (("functions", "2", ""),)),
)

SWITCHES = {switch.name: switch for switch in _ALL}
