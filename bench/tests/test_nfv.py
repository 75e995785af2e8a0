# SPDX-License-Identifier: BSD-3-Clause
import argparse
import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from measure.measurement import Measurement
from measure.trouble import Trouble, Unavailable
from nfv import __main__ as program
from nfv import steps as steps_of
from nfv import fabric, housing, needs, options, results, runs
from nfv.applications import Application, Load, last_line
from nfv.steps import Journal, Steps, clean, left_behind, started_at
from nfv.switches import SWITCHES


def dry(name: str, segments: int = 1, chain: bool = False, house=housing.Namespace, load=None) -> list:
    """Every command that a run on this switch would be."""
    shown = []
    with fabric.Fabric(Steps(True, show=shown.append), SWITCHES[name], "/bin/wirespool", segments, chain, house=house) as made:
        runs.ping(made)
        runs.counted(made)
        runs.throughput(made, load or Load())
        runs.latency(made, load or Load())
    return shown


class DryRuns(unittest.TestCase):
    def test_every_switch_alone_side_by_side_and_in_a_chain_is_commands_without_a_hole(self):
        for name in SWITCHES:
            for segments, chain in ((1, False), (8, False), (9, True)):
                shown = dry(name, segments, chain)
                for line in shown:
                    self.assertTrue(shlex.split(line), line)
                    self.assertNotRegex(line, r"\{[a-z_0-9]+\}")
                ends = sum(" send " in line or " dpdk-send " in line for line in shown)
                self.assertEqual(ends, 2 * (1 if chain else segments), name)

    def test_a_dry_run_touches_nothing(self):
        with mock.patch("subprocess.run", side_effect=AssertionError), mock.patch("subprocess.Popen", side_effect=AssertionError):
            self.assertTrue(dry("linux-bridge"))

    def test_a_chain_has_a_forwarder_with_two_interfaces_for_each_of_its_length(self):
        shown = [line for line in dry("linux-bridge", 4, True) if "wirespool forward" in line]
        self.assertEqual(len(shown), 9)  # three, for each of three runs
        self.assertTrue(all("-R eth0 -R eth1" in line for line in shown))

    def test_ports_of_dpdk_meet_at_one_socket(self):
        shown = dry("memif")
        (near,), (far,) = ([line for line in shown if f"dpdk-{name} " in line and "--count" in line or f"dpdk-{name} " in line and name == "recv"][:1] for name in ("send", "recv"))
        self.assertIn("role=client", near)
        self.assertIn("role=server", far)
        self.assertEqual(near.split("socket=")[1].split(",")[0], far.split("socket=")[1].split(",")[0])

    def test_containers_never_share_the_machines_network(self):
        for house in (housing.Podman, housing.Lxc):
            shown = "\n".join(dry("linux-bridge", house=house))
            self.assertNotIn("net.0.type", shown)
            self.assertNotIn("--network host", shown)
        text = housing.Lxc(Steps(True), Path("/run/x"), "/bin/wirespool").text(fabric.Node("wst1a0", 0))
        self.assertIn("lxc.namespace.share.net = /run/netns/wst1a0", text)
        self.assertNotIn("lxc.net.", text)

    def test_what_vpp_and_snabb_would_be_given_names_each_port(self):
        for name in ("vpp", "snabb"):
            for _, text in SWITCHES[name].settings:
                self.assertEqual(text.count("{") - text.count("}"), 0)
        self.assertTrue(any("VirtualEthernet0/0/1" in line for line in dry("vpp")))


class Undoing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_what_was_made_goes_in_the_opposite_order(self):
        steps = Steps(journal=Journal(self.folder / "journals"))
        log = self.folder / "log"
        for word in ("one", "two"):
            steps.do("true", ["sh", "-c", f"echo {word} >>{log}"])
        steps.undo_all()
        self.assertEqual(log.read_text().split(), ["two", "one"])
        self.assertEqual(list((self.folder / "journals").iterdir()), [])

    def test_a_run_that_was_killed_is_undone_by_clean_with_its_processes(self):
        made, journals = self.folder / "made", self.folder / "journals"
        text = f"""
import os, signal, sys
from pathlib import Path
from nfv.steps import Journal, Steps
steps = Steps(journal=Journal(Path({str(journals)!r})))
steps.folder(Path({str(made)!r}))
child = steps.start(["sleep", "600"], Path({str(made)!r}), "sleeper")
print(child.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        killed = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False, env=environment)
        pid = int(killed.stdout)
        self.assertTrue(started_at(pid))
        self.assertEqual(clean(journals), (1, 0))
        end = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2] and time.monotonic() < end:
            time.sleep(0.02)
        self.assertFalse(made.exists())
        self.assertEqual(clean(journals), (0, 0))

    def test_a_run_that_is_ended_while_it_undoes_undoes_all(self):
        log = self.folder / "log"
        text = f"""
import signal
from pathlib import Path
from nfv.__main__ import ended_by_signal
from nfv.steps import Journal, Steps
signal.signal(signal.SIGTERM, ended_by_signal)
steps = Steps(journal=Journal(Path({str(self.folder / 'journals')!r})))
for word in ("one", "two", "three"):
    steps.do("true", ["sh", "-c", f"echo {{word}} >>{log}; sleep 0.3"])
print("undoing", flush=True)
steps.undo_all()
"""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, env=environment) as ended:
            ended.stdout.readline()
            time.sleep(0.2)
            ended.terminate()
            self.assertEqual(ended.wait(30), 128 + 15)
        self.assertEqual(log.read_text().split(), ["three", "two", "one"])
        self.assertEqual(list((self.folder / "journals").iterdir()), [])

    def test_a_run_that_is_going_on_is_left_alone(self):
        journal = Journal(self.folder)
        journal.note({"run": ["touch", str(self.folder / "undone")]})
        self.assertEqual(clean(self.folder), (0, 1))
        self.assertFalse((self.folder / "undone").exists())
        journal.undo_all()

    def test_what_a_killed_run_left_is_told_from_what_a_running_one_makes(self):
        journal = Journal(self.folder)
        (self.folder / "1-1.jsonl").write_text("")
        self.assertEqual(left_behind(self.folder), (1, 1))
        journal.undo_all()
        self.assertEqual(left_behind(self.folder), (1, 0))
        self.assertEqual(left_behind(self.folder / "nowhere"), (0, 0))

    def test_half_a_line_was_not_done_yet(self):
        path = self.folder / "1-1.jsonl"
        path.write_text(json.dumps({"run": ["touch", str(self.folder / "undone")]}) + '\n{"run": ["touch", "')
        self.assertEqual(clean(self.folder), (1, 0))
        self.assertTrue((self.folder / "undone").exists())

    def test_another_process_with_the_number_of_an_old_one_lives_on(self):
        with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
            path = self.folder / "1-1.jsonl"
            path.write_text(json.dumps({"pid": stranger.pid, "start": "1"}) + "\n")
            clean(self.folder)
            self.assertIsNone(stranger.poll())
            stranger.kill()

    def test_cgroups_that_container_programs_leave_go_if_they_were_not_there_before(self):
        root = self.folder / "cgroup"
        (root / "old").mkdir(parents=True)
        with mock.patch("nfv.steps.cgroup_roots", return_value=[root]):
            with Steps(journal=Journal(self.folder / "journals")) as steps:
                steps.remove_cgroups(("old", "new"))
                (root / "new" / "inner").mkdir(parents=True)
        self.assertEqual([path.name for path in root.iterdir()], ["old"])

    def test_hierarchies_of_both_versions_are_found(self):
        mounts = self.folder / "mounts"
        mounts.write_text("cgroup /c/pids cgroup rw 0 0\ncgroup2 /c/unified cgroup2 rw 0 0\ntmpfs /c tmpfs rw 0 0\n")
        self.assertEqual([str(path) for path in steps_of.cgroup_roots(str(mounts))], ["/c/pids", "/c/unified"])

    def test_a_command_that_fails_is_one_line_with_what_it_said(self):
        with Steps(journal=Journal(self.folder)) as steps:
            with self.assertRaisesRegex(Trouble, "^sh -c 'echo no such thing >&2; exit 3': no such thing$"):
                steps.do(["sh", "-c", "echo no such thing >&2; exit 3"])


class Wishes(unittest.TestCase):
    def refused(self, *arguments) -> str:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
            options.parse(list(arguments))
        self.assertEqual(ended.exception.code, options.USAGE)
        (line,) = said.getvalue().splitlines()
        return line

    def test_lists_and_ranges(self):
        self.assertEqual(options.numbers("64 128 512"), [64, 128, 512])
        self.assertEqual(options.numbers("64..64..256"), [64, 128, 192, 256])
        self.assertEqual(options.numbers("1..8"), list(range(1, 9)))
        for wrong in ("", "5..1", "1..0..5", "64B", "1..2..3..4"):
            with self.assertRaises(argparse.ArgumentTypeError):
                options.numbers(wrong)

    def test_each_wrong_wish_is_one_line_that_says_what_is_right(self):
        self.assertIn("64 to 1514", self.refused("local", "--sizes", "63"))
        self.assertIn("64 to 1514", self.refused("local", "--sizes", "1515"))
        self.assertIn("nothing is ever sent", self.refused("local", "--rates", "0"))
        self.assertIn("nothing is ever sent", self.refused("local", "--rates", "1000 0K"))
        self.assertIn("1 to 1G packets", self.refused("local", "--rates", "0.5"))
        self.assertIn("1 to 1G packets", self.refused("local", "--rates", "2G"))
        self.assertIn("1 to 100", self.refused("local", "--repeats", "0"))
        self.assertIn("one number", self.refused("local", "--repeats", "1..3"))
        self.assertIn("required: RESULTS", self.refused("report"))
        self.assertIn("there are veth", self.refused("local", "--switch", "cisco"))
        self.assertIn("1 to 8", self.refused("chain", "--lengths", "9"))
        self.assertIn("1 to 1024", self.refused("local", "--bursts", "0"))

    def test_a_switch_that_is_not_installed_says_what_installs_it(self):
        with self.assertRaisesRegex(Unavailable, "^snabb: snabb is not installed: it is not packaged"):
            with mock.patch("os.geteuid", return_value=0):
                needs.require("snabb", (("program", "snabb", ""),))
        self.assertIn("apt-get install x", needs.program("no-such-program", "x"))

    def test_without_root_one_line_says_so(self):
        with mock.patch("os.geteuid", return_value=1000), self.assertRaisesRegex(Unavailable, "need root: run with sudo"):
            needs.require("veth", ())

    def test_who_may_not_write_down_what_to_undo_is_told_so_in_one_line(self):
        with tempfile.NamedTemporaryFile() as file, self.assertRaisesRegex(Trouble, "what is to be undone is written there"):
            Journal(Path(file.name) / "journals")

    def test_commands_that_change_the_machine_ask_for_root_before_anything_else(self):
        for words in (["--program", "/bin/true", "local"], ["clean"]):
            said = io.StringIO()
            with mock.patch("os.geteuid", return_value=1000), mock.patch("nfv.steps.Journal", side_effect=AssertionError), contextlib.redirect_stderr(said):
                self.assertEqual(program.main(words), program.NOT_READY)
            self.assertRegex(said.getvalue(), r"^bench/nfv/run\.sh: (local|clean): .*need root: run with sudo\n$")

    def test_what_only_root_can_ask_is_not_said_to_be_missing(self):
        with mock.patch("os.geteuid", return_value=1000):
            self.assertIn("only root can ask", needs.link("veth", "kernel"))
            self.assertIn("only root can ask", needs.classifier("", ""))

    def test_fewer_virtual_functions_than_ends_are_one_line(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch("nfv.needs.FUNCTIONS", Path(folder)):
            made = fabric.Fabric(Steps(journal=Journal(Path(folder))), SWITCHES["sriov"], "/bin/true", 2)
            with self.assertRaisesRegex(Unavailable, "^sriov: 0 virtual functions of NICs are here, 4 are needed"):
                made.function(1)
            made.steps.undo_all()

    def test_more_pairs_and_longer_chains_need_more_hugepages(self):
        def needed(name: str, segments: int, chain: bool = False) -> str:
            made = fabric.Fabric(Steps(True, show=lambda line: None), SWITCHES[name], "/bin/true", segments, chain)
            return [number for kind, number, _ in made.needs() if kind == "hugepages"]

        self.assertEqual([needed("memif", pairs) for pairs in (1, 8)], [["128"], ["1024"]])
        self.assertEqual([needed("basicfwd", pairs) for pairs in (1, 8)], [["192"], ["1536"]])
        self.assertEqual(needed("ovs-dpdk", 8), ["1216"])
        self.assertEqual(needed("memif", 9, True), ["640"])
        self.assertEqual(needed("veth", 8), [])

    def test_a_run_does_not_begin_where_a_killed_one_left_things(self):
        asked = options.parse(["--program", "/bin/true", "local", "--switch", "veth"])
        with mock.patch("os.geteuid", return_value=0), mock.patch("nfv.__main__.left_behind", return_value=(2, 0)):
            with self.assertRaisesRegex(Trouble, r"^what earlier runs that were killed made is still there \(2\): bench/nfv/run.sh clean$"):
                program.look_around(asked, program.Log())

    def test_another_run_is_told_of_where_figures_are_made(self):
        for words, told in (([], True), (["--check-only"], False)):
            asked = options.parse(["--program", "/bin/true", "local", *words])
            said = io.StringIO()
            with mock.patch("os.geteuid", return_value=0), mock.patch("nfv.__main__.left_behind", return_value=(0, 1)), contextlib.redirect_stderr(said):
                program.look_around(asked, program.Log())
            self.assertEqual("another run is going on" in said.getvalue(), told)

    def test_a_switch_that_was_asked_for_and_is_not_here_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder:
            words = ["--program", "/bin/true", "local", "--out", folder, "--switch"]
            absent = mock.patch("nfv.__main__.one_fabric", side_effect=Unavailable("snabb: snabb is not installed"))
            quiet = contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO())
            with mock.patch("nfv.__main__.look_around"), absent, quiet[0], quiet[1]:
                self.assertEqual(program.main([*words, "snabb"]), program.NOT_READY)
            (line,) = results.read_lines(Path(folder) / results.LINES)
            self.assertEqual((line["trouble"], line["switch"], line["said"]), ("absent", "snabb", "snabb: snabb is not installed"))

    def test_a_name_that_is_taken_says_how_to_get_rid_of_it(self):
        with mock.patch("nfv.needs.require"), mock.patch.object(Path, "exists", return_value=True), tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(Trouble, "is there already.*run.sh clean"):
                with fabric.Fabric(Steps(journal=Journal(Path(folder))), SWITCHES["veth"], "/bin/true"):
                    pass


    def test_a_folder_of_an_earlier_run_is_left_as_it_is(self):
        with tempfile.TemporaryDirectory() as folder:
            taken = Path(folder) / "run-1"
            taken.mkdir()
            with self.assertRaisesRegex(Trouble, "is there already.*run.sh clean"):
                with Steps(journal=Journal(Path(folder) / "journals")) as steps:
                    steps.folder(taken)
            self.assertTrue(taken.exists())


class Judging(unittest.TestCase):
    def lines(self, share: float) -> list:
        return [{"cpu_share": share}, {"cpu_share": 1.0}, {"cpu_share": None}]

    def fabric(self, name: str = "linux-bridge") -> fabric.Fabric:
        return fabric.Fabric(Steps(True, show=lambda line: None), SWITCHES[name], "/bin/wirespool")

    def test_an_application_that_was_kept_from_its_cpu_makes_a_result_inconclusive(self):
        self.assertTrue(runs.make_measurement(self.fabric(), self.lines(0.99), Load(), 0.0, {}).conclusive)
        self.assertFalse(runs.make_measurement(self.fabric(), self.lines(0.6), Load(), 0.0, {}).conclusive)
        self.assertFalse(runs.make_measurement(self.fabric(), [{"cpu_share": None}], Load(), 0.0, {}).conclusive)

    def test_who_waits_in_the_kernel_needs_no_whole_cpu(self):
        self.assertTrue(runs.make_measurement(self.fabric(), self.lines(0.1), Load(blocking=True), 0.0, {}).conclusive)

    def test_a_switch_that_was_kept_from_its_cpu_makes_a_result_inconclusive_whoever_waits_at_its_ends(self):
        for blocking in (False, True):
            for share, conclusive in ((0.99, True), (0.6, False)):
                result = runs.make_measurement(self.fabric("ovs-dpdk"), self.lines(0.99), Load(blocking=blocking), 0.0, {}, share)
                self.assertEqual((result.conclusive, result.values["switch_cpu_share"]), (conclusive, share))

    def test_what_a_switch_that_polls_had_of_its_cpu_is_seen_from_outside(self):
        made = self.fabric("ovs-dpdk")
        self.assertEqual(runs.Watch(made).stolen_and_share()[1], None)
        loop = "import threading, time\nend = time.monotonic() + 30\nwhile time.monotonic() < end: {}"
        for what, busy in (("pass", True), ("time.sleep(0.05)", False)):
            with subprocess.Popen([sys.executable, "-c", loop.format(what)]) as process:
                try:
                    made.daemons = [mock.Mock(process=process)]
                    with mock.patch("nfv.fabric.POLLER", re.compile(".")):
                        time.sleep(0.3)
                        watch = runs.Watch(made)
                        time.sleep(0.5)
                        share = watch.stolen_and_share()[1]
                finally:
                    process.kill()
            # On a machine that compiles, even who spins gets a part only.
            self.assertEqual(share > 0.1, busy, share)

    def test_threads_that_poll_are_known_by_name(self):
        for name in ("pmd-c01/id:7", "rte-worker-1", "lcore-worker-1", "dpdk-worker1", "vpp_main"):
            self.assertTrue(fabric.POLLER.match(name), name)
        for name in ("ovs-vswitchd", "handler1", "rte_mp_handle"):
            self.assertFalse(fabric.POLLER.match(name), name)

    def test_more_pollers_than_cpus_are_noted(self):
        with mock.patch("os.sched_getaffinity", return_value={0, 1}):
            self.assertEqual(runs.make_measurement(self.fabric("ovs-dpdk"), self.lines(1.0), Load(), 0.0, {}).notes, ["3 threads that poll on 2 CPUs"])

    def test_the_last_line_is_the_result(self):
        self.assertEqual(last_line('words\n{"a":1}\n{"a":2}\n'), {"a": 2})
        self.assertEqual(last_line('{"a":1}\n{"a":'), {})

    def test_an_application_is_given_what_it_is_to_measure(self):
        made = self.fabric()
        made.nodes[0].cpu = 3
        near, far = made.pairs[0]
        words = Application(made, "send", near, far, Load("512", 4, "1000", raw=True)).command()
        text = " ".join(words)
        self.assertIn("taskset -c 3 /bin/wirespool send 10.77.0.1 - 10.77.0.2 02:57:53:00:00:02 -b 4 --json -R eth0 -m -p 512 -r 1000", text)


class Keeping(unittest.TestCase):
    PLACE = {"burst": 32, "switch": "veth", "size": 64, "rate": "0", "pairs": 1, "chain": 0, "house": "namespace", "mode": "udp mmsg"}
    LOAD = {"rate": "0", "seconds": 2.0, "warmup": 0.5}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.machine = {"cpu": "a CPU", "cpus": 2, "usable_cpus": 2, "threads_per_core": 1, "virtual": "none", "system": "Debian", "kernel": "6.1"}

    def kept(self) -> results.Kept:
        return results.Kept(self.folder, self.machine)

    def keep(self, kept: results.Kept, place: dict):
        values = {"mpps": 1.5, "gbit": 0.77, "lost": 3, "duplicates": 2, "reordered": 1, "sent_mpps": 1.5, "cpu_share": 0.5}
        kept.keep(Measurement("throughput", "64 B", "veth", values, shortfall=0.5), place, self.LOAD)

    def test_results_are_kept_at_once_found_again_and_written_as_columns(self):
        self.keep(self.kept(), self.PLACE)
        again = self.kept()
        self.assertTrue(again.has("throughput", self.PLACE, 0))
        self.assertFalse(again.has("throughput", self.PLACE | {"size": 128}, 0))
        self.assertFalse(again.has("throughput", self.PLACE | {"mode": "raw mmsg"}, 0))
        text = (self.folder / "32/veth/64/0/throughput.dat").read_text().splitlines()
        self.assertEqual(text[0], "# pairs chain sent_mpps mpps gbit lost duplicates reordered cpu_share switch_cpu_share conclusive")
        self.assertEqual(text[1], "1 0 1.5 1.5 0.77 3 2 1 0.5 nan 0")

    def test_half_a_line_of_a_killed_run_does_not_swallow_the_next_one(self):
        kept = self.kept()
        self.keep(kept, self.PLACE)
        kept.path.write_text(kept.path.read_text() + '{"half')
        self.keep(self.kept(), self.PLACE | {"size": 128})
        self.assertEqual([line["place"]["size"] for line in results.read_lines(kept.path)], [64, 128])

    def test_a_broken_line_is_named_before_anything_is_measured(self):
        kept = self.kept()
        self.keep(kept, self.PLACE)
        kept.path.write_text('{"broken\n' + kept.path.read_text())
        with self.assertRaisesRegex(Trouble, r"results\.jsonl:1: broken line, not JSON"):
            self.kept()

    def test_results_of_two_machines_do_not_come_into_one_file(self):
        self.keep(self.kept(), self.PLACE)
        self.machine["kernel"] = "6.2"
        with self.assertRaisesRegex(Trouble, "another machine .*Linux 6.1.*choose another --out"):
            self.kept()

    def test_a_dry_run_writes_nothing(self):
        kept = results.Kept(self.folder / "new", None)
        kept.keep_trouble("veth", "failed", "x")
        self.assertFalse((self.folder / "new").exists())

    def test_results_that_can_go_nowhere_are_one_line_before_the_first(self):
        taken = self.folder / "file"
        taken.write_text("")
        with self.assertRaisesRegex(Trouble, "give --out a folder that can be written"):
            results.Kept(taken / "out", self.machine).path_to_write()

    def test_this_machine_is_named_with_all_that_makes_it_another(self):
        found = results.this_machine("/bin/true")
        self.assertFalse([key for key in results.IDENTITY if key not in found])
        self.assertIn(f"Linux {found['kernel']}", results.name_of(found))

    def test_a_program_that_is_not_there_is_one_line(self):
        asked = options.parse(["--program", "/no/such", "local"])
        with self.assertRaisesRegex(Trouble, "^wirespool: is neither built nor installed: "):
            program.check_program(asked)


class Modes(unittest.TestCase):
    def test_how_applications_reach_the_wire_is_told_apart(self):
        said = [runs.mode_of(SWITCHES[name], load) for name, load in (
            ("veth", Load(many=False)), ("veth", Load()), ("veth", Load(raw=True)), ("memif", Load(raw=True)), ("veth", Load(raw=True, many=False, blocking=True)),
        )]
        self.assertEqual(said, ["udp", "udp mmsg", "raw mmsg", "dpdk", "raw blocking"])

    def test_what_is_exact_was_counted_the_way_it_is_measured(self):
        asked = options.parse(["local", "--raw"])
        place, load = program.exact_place(asked, SWITCHES["veth"], 1, 0)
        self.assertEqual((place["mode"], place["size"], place["rate"], load["rate"]), ("raw mmsg blocking", 64, "400", "400"))
        shown = []
        with fabric.Fabric(Steps(True, show=shown.append), SWITCHES["veth"], "/bin/wirespool") as made:
            runs.counted(made, raw=True)
        self.assertTrue(all("-R eth0" in line for line in shown if " send " in line or " recv " in line))


if __name__ == "__main__":
    unittest.main()
