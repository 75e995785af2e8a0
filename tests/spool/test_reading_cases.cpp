// SPDX-License-Identifier: BSD-3-Clause
// Files as other people have them, read by the program as they run it. Each test is named after what went wrong.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "format/pcap.hpp"
#include "spool/reading_rig.hpp"
#include "support/catch.hpp"
#include "support/ledger_samples.hpp"
#include "support/pcap_bytes.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

std::string program() {
  const char* path = std::getenv("WIRESPOOL");
  if (path == nullptr) throw std::runtime_error("WIRESPOOL is not set");
  return path;
}

Trace packets(std::uint64_t count, std::uint64_t seed = 1) {
  TraceSpec spec;
  spec.kind = "mixed";
  spec.packets = count;
  spec.seed = seed;
  return make_trace(spec);
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_text(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Rig {
  TempDir directory;
  fs::path out = directory / "out.pcap";

  fs::path put(const std::string& name, std::span<const std::byte> bytes) const {
    write_bytes(directory / name, bytes);
    return directory / name;
  }
  ProcessResult run(Command words) const {
    words.insert(words.begin(), program());
    return run_process(words);
  }
  ProcessResult extract(Command words) const {
    words.insert(words.begin(), "extract");
    words.insert(words.end(), {"-w", out.string()});
    return run(words);
  }
  // By the shell, for what only it can set up; $W is the program, $1 and $2 two paths.
  ProcessResult shell(const std::string& script, const std::string& one = "", const std::string& two = "") const {
    return run_process({"sh", "-c", "W=" + program() + "; " + script, "sh", one, two});
  }
};

// Rewrites a file in place, as `cat other > file` does.
void overwrite(const fs::path& path, const std::vector<std::byte>& bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY);
  REQUIRE(fd >= 0);
  REQUIRE(::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  REQUIRE(::close(fd) == 0);
}

void set_mtime(const fs::path& path, const timespec& time) {
  const timespec both[2] = {{0, UTIME_OMIT}, time};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), both, 0) == 0);
}

timespec mtime(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mtim;
}

// The same times and lengths, other addresses: as an anonymiser leaves a file.
std::vector<std::byte> anonymised(std::vector<std::byte> pcap) {
  std::size_t at = sizeof(format::PcapFileHeader);
  while (at + 16 <= pcap.size()) {
    std::uint32_t caplen = 0;
    std::memcpy(&caplen, pcap.data() + at + 8, 4);
    for (std::size_t i = 26; i < 34 && i < caplen; ++i) pcap[at + 16 + i] ^= std::byte{0x55};
    at += 16 + caplen;
  }
  return pcap;
}

}  // namespace

TEST_CASE("packets of a file that was rewritten in place at the same length are found, not left out by its old index") {
  const Rig rig;
  const auto before = pcap_bytes(packets(3000));
  const auto after = anonymised(before);
  const bool same_mtime = GENERATE(false, true);
  CAPTURE(same_mtime);
  const auto file = rig.put("x.pcap", before);
  REQUIRE(rig.run({"index", file.string()}).ok());
  const auto time = mtime(file);
  overwrite(file, after);
  if (same_mtime) set_mtime(file, time);
  for (const std::string filter : {"net 10.0.0.0/8", "net 95.85.85.0/24", "udp"}) {
    CAPTURE(filter);
    const auto with = rig.extract({file.string(), "--filter", filter});
    CHECK(with.ok());
    const auto found = read_bytes(rig.out);
    CHECK(rig.extract({file.string(), "--filter", filter, "--no-index"}).ok());
    CHECK(found == read_bytes(rig.out));
    if (!same_mtime) CHECK(has(with.err, "an index is not used"));
  }
  CHECK(has(rig.run({"index", file.string()}).out, "1 indices made"));
  CHECK(rig.run({"verify", file.string()}).ok());
  CHECK(rig.extract({file.string(), "--filter", "udp"}).err == "");
}

TEST_CASE("an index is still good where its file was moved, copied with its times, archived or given another mode") {
  const Rig rig;
  const auto file = rig.put("x.pcap", pcap_bytes(packets(2000)));
  REQUIRE(rig.run({"index", file.string()}).ok());
  const auto way = GENERATE(values({"mkdir $1/d; mv $1/x.* $1/d", "mkdir $1/d; cp -p $1/x.* $1/d",
                                    "mkdir $1/d; tar -C $1 -cf - x.pcap x.idx | tar -C $1/d -xf -",
                                    "mkdir $1/d; cp -p $1/x.* $1/d; chmod 600 $1/d/x.pcap"}));
  CAPTURE(way);
  const auto moved = rig.shell(way, rig.directory.str());
  INFO(moved.describe());
  REQUIRE(moved.ok());
  REQUIRE(fs::exists(rig.directory / "d/x.idx"));
  const auto result = rig.extract({(rig.directory / "d/x.pcap").string(), "--filter", "udp"});
  CHECK(result.ok());
  CHECK(result.err == "");
  CHECK(has(rig.run({"index", (rig.directory / "d/x.pcap").string()}).out, "has one already"));
}

TEST_CASE("packets of many files of one time are all there with few descriptors") {
  const Rig rig;
  const auto trace = packets(20);
  for (int i = 0; i < 150; ++i) rig.put("f" + std::to_string(i) + ".pcap", pcap_bytes(trace));
  for (const std::string limit : {"128", "64", "20", "10"}) {
    CAPTURE(limit);
    const auto result =
        rig.shell("ulimit -n " + limit + "; $W extract $1/f*.pcap -w $2", rig.directory.str(), rig.out.string());
    INFO(result.describe());
    CHECK(result.ok());
    CHECK(read_pcap(rig.out).size() == 150 * trace.size());
  }
}

TEST_CASE("pcap variants that tcpdump reads are read as it reads them") {
  const Rig rig;
  const auto whole = packets(50);
  Trace trace;  // cut, so that the two lengths of a record differ
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto packet = whole[i];
    trace.append({packet.time, packet.wirelen + 1, packet.bytes});
  }
  const auto usual = pcap_bytes(trace, {.microseconds = true});
  const auto of_version = [&usual](std::uint8_t major_low, std::uint8_t major_high, std::uint8_t minor) {
    auto bytes = usual;
    bytes[4] = std::byte{major_low};
    bytes[5] = std::byte{major_high};
    bytes[6] = std::byte{minor};
    for (std::size_t at = 24; at < bytes.size();) {
      std::uint32_t caplen = 0;
      std::memcpy(&caplen, bytes.data() + at + 8, 4);
      std::swap_ranges(bytes.begin() + static_cast<long>(at) + 8, bytes.begin() + static_cast<long>(at) + 12,
                       bytes.begin() + static_cast<long>(at) + 12);
      at += 16 + caplen;
    }
    return bytes;
  };
  auto kuznetzov = usual;
  kuznetzov[0] = std::byte{0x34};
  kuznetzov[1] = std::byte{0xcd};
  for (std::size_t at = 24; at < kuznetzov.size();) {
    std::uint32_t caplen = 0;
    std::memcpy(&caplen, kuznetzov.data() + at + 8, 4);
    const std::array<std::byte, 8> interface {
      std::byte { 2 }
    };
    kuznetzov.insert(kuznetzov.begin() + static_cast<long>(at) + 16, interface.begin(), interface.end());
    at += 24 + caplen;
  }
  for (const auto& bytes : {kuznetzov, of_version(2, 0, 2), of_version(2, 0, 3), of_version(0x1f, 2, 0)}) {
    const auto file = rig.put("variant.pcap", bytes);
    const auto result = rig.extract({file.string()});
    INFO(result.describe());
    CHECK(result.ok());
    CHECK(compare_in_order(read_pcap(file), read_pcap(rig.out)) == "");
    CHECK(rig.run({"verify", file.string()}).ok());
  }
}

TEST_CASE("NFLOG headers of a big-endian file read the same after extract") {
  if (!have_program("tcpdump")) return skip("pseudo headers", "needs tcpdump");
  const Rig rig;
  Trace trace;
  std::vector<std::byte> packet{std::byte{2}, std::byte{0},  std::byte{0}, std::byte{0},  // AF_INET, version, resource
                                std::byte{0}, std::byte{8},  std::byte{0}, std::byte{1},  // length, type: packet header
                                std::byte{8}, std::byte{0},  std::byte{0}, std::byte{0},
                                std::byte{0}, std::byte{32}, std::byte{0}, std::byte{9}};  // payload
  const unsigned char ip[28] = {0x45, 0, 0, 28, 0, 1, 0, 0, 64,  17, 0,  0, 10,
                                0,    0, 1, 10, 0, 0, 2, 3, 232, 0,  53, 0, 8};
  for (const auto byte : ip) packet.push_back(static_cast<std::byte>(byte));
  trace.append({Timestamp{1'700'000'000'000'001'000}, static_cast<std::uint32_t>(packet.size()), packet});
  const auto file = rig.put("be.pcap", pcap_bytes(trace, {.big_endian = true, .linktype = 239}));
  REQUIRE(rig.extract({file.string()}).ok());
  const auto told = [](const fs::path& path) { return run_process({"tcpdump", "-nr", path.string()}).out; };
  REQUIRE(has(told(file), "10.0.0.1"));
  CHECK(told(rig.out) == told(file));
}

TEST_CASE("kernel headers of a big-endian file come out as libpcap reads them, whatever their packets hold") {
  if (!have_program("tcpdump")) return skip("pseudo headers", "needs tcpdump");
  const Rig rig;
  const auto seed = GENERATE(range(1u, 4u));
  constexpr std::uint32_t sll = 113, pflog = 117, usb = 189, usb_mmapped = 220, nflog = 239, sll2 = 276;
  for (const auto linktype : {sll, pflog, usb, usb_mmapped, nflog, sll2}) {
    CAPTURE(seed, linktype);
    std::mt19937 engine(seed);
    const auto random = [&engine] { return static_cast<unsigned>(engine()); };
    Trace trace;
    for (std::uint64_t i = 0; i < 300; ++i) {
      std::vector<std::byte> packet(random() % 160);
      for (auto& byte : packet) byte = static_cast<std::byte>(random());
      const auto put = [&](std::size_t at, unsigned value) {
        if (at < packet.size()) packet[at] = static_cast<std::byte>(value);
      };
      if (linktype == sll) put(14, 0), put(15, 12 + random() % 2);  // CAN, CAN FD
      if (linktype == sll2) put(0, 0), put(1, 12 + random() % 2);
      if (linktype == pflog) put(0, random() % 2 == 0 ? 61 : random() % 70);
      if (linktype == usb || linktype == usb_mmapped) put(9, random() % 2);  // isochronous or not
      if (linktype == usb_mmapped) put(60, 0), put(61, 0), put(62, 0), put(63, random() % 8);
      if (linktype == nflog) put(1, 0), put(4, 0), put(5, random() % 40);
      trace.append({Timestamp{1'700'000'000'000'000'000u + i}, static_cast<std::uint32_t>(packet.size()), packet});
    }
    const auto file = rig.put("be.pcap", pcap_bytes(trace, {.big_endian = true, .linktype = linktype}));
    const auto as_libpcap_has_it = rig.directory / "libpcap.pcap";
    REQUIRE(run_process({"tcpdump", "-r", file.string(), "-w", as_libpcap_has_it.string()}).ok());
    REQUIRE(rig.extract({file.string()}).ok());
    const auto expected = read_pcap(as_libpcap_has_it), found = read_pcap(rig.out);
    REQUIRE(found.size() == trace.size());
    REQUIRE(expected.size() == trace.size());
    std::size_t turned = 0;
    for (std::size_t i = 0; i < trace.size(); ++i) {
      CAPTURE(i);
      REQUIRE(std::ranges::equal(found[i].bytes, expected[i].bytes));
      if (!std::ranges::equal(found[i].bytes, trace[i].bytes)) ++turned;
    }
    CHECK(turned > 0);
  }
}

TEST_CASE("a newline or an escape sequence in a name reaches no terminal") {
  const Rig rig;
  const auto odd = rig.directory / "new\nline\x1b[31mred";
  fs::create_directory(odd);
  const auto file = odd / "x.pcap", empty = odd / "y.pcap";
  write_bytes(file, pcap_bytes(packets(10)));
  write_bytes(empty, {});
  for (const auto& words : std::vector<Command>{{"index", file.string()},
                                                {"ls", file.string()},
                                                {"ls", "--json", file.string()},
                                                {"verify", empty.string()},
                                                {"extract", empty.string(), "-w", rig.out.string()},
                                                {"repair", odd.string()}}) {
    const auto result = rig.run(words);
    CAPTURE(words.front());
    CHECK_FALSE(has(result.out + result.err, "\x1b"));
    CHECK_FALSE(has(result.out + result.err, "new\nline"));
  }
}

TEST_CASE("an output is not emptied when no input can be read") {
  const Rig rig;
  write_text(rig.out, "precious");
  write_text(rig.directory / "bad", "no");
  CHECK(rig.extract({(rig.directory / "bad").string()}).exit_code == 1);
  CHECK(text_of(rig.out) == "precious");
}

TEST_CASE("an output without packets has the link type of its input") {
  const Rig rig;
  const auto file = rig.put("raw.pcap", pcap_bytes(packets(3), {.linktype = 101}));
  REQUIRE(rig.extract({file.string(), "--filter", "port 9"}).ok());
  CHECK(read_bytes(rig.out).at(20) == std::byte{101});
}

TEST_CASE("captures with other endings in a directory are told to be left out") {
  const Rig rig;
  fs::create_directory(rig.directory / "m");
  for (const auto* name : {"m/a.cap", "m/b.pcap.gz", "m/c.pcap12", "m/d.PCAPNG"}) rig.put(name, {});
  CHECK(has(rig.extract({(rig.directory / "m").string()}).err, "4 capture files have no name of wirespool's"));
}

TEST_CASE("a file given by two names is read once, and that is told") {
  const Rig rig;
  const auto file = rig.put("t.pcap", pcap_bytes(packets(100)));
  fs::create_hard_link(file, rig.directory / "h.pcap");
  fs::create_symlink(file, rig.directory / "s.pcap");
  const auto result = rig.extract(
      {file.string(), (rig.directory / "h.pcap").string(), (rig.directory / "s.pcap").string(), file.string()});
  CHECK(result.ok());
  CHECK(has(result.err, "h.pcap: it is the same file as"));
  CHECK(has(result.err, "s.pcap: it is the same file as"));
  CHECK(read_pcap(rig.out).size() == 100);
}

TEST_CASE("a dangling link or a FIFO with the name of a SpoolFile is told, and all is not well") {
  const Rig rig;
  const std::string name = "wirespool-20261126T200434.056887942Z-w00-00000";
  fs::create_directory(rig.directory / "d");
  fs::create_symlink("/nonexistent", rig.directory / ("d/" + name + "1.pcap"));
  REQUIRE(::mkfifo((rig.directory / ("d/" + name + "2.pcap")).c_str(), 0600) == 0);
  const auto verified = rig.run({"verify", (rig.directory / "d").string()});
  CHECK(verified.exit_code == 1);
  CHECK(has(verified.out, "1.pcap: it is a link that leads to nothing"));
  CHECK(has(verified.out, "2.pcap: it cannot be read"));
  const auto listed = rig.run({"ls", "--json", (rig.directory / "d").string()});
  CHECK_FALSE(has(listed.out, "18446744073709551615"));
  CHECK(rig.extract({(rig.directory / "d").string()}).exit_code == 1);
}

TEST_CASE("a hostile ledger, index or capture.json costs little memory and reaches no terminal raw") {
  const Rig rig;
  const auto d = rig.directory / "d";
  fs::create_directory(d);
  const std::string start = "20261126T200434.056887942Z", file = "wirespool-" + start + "-w00-000001";
  write_bytes(d / (file + ".pcap"), pcap_bytes(packets(10)));
  const auto sparse = [](const fs::path& path) {
    std::ofstream(path).put(0);
    fs::resize_file(path, 4ull << 30);
  };
  sparse(d / (file + ".idx"));
  sparse(d / ("wirespool-" + start + ".ledger.jsonl"));
  write_text(d / ("wirespool-" + start + ".capture.json"), std::string(60'000'000, '['));
  for (const std::string command : {"ls", "verify"}) {
    CAPTURE(command);
    const auto result = rig.shell("ulimit -v 1000000; $W " + command + " $1", d.string());
    INFO(result.describe());
    CHECK((result.exit_code == 0 || result.exit_code == 1));
    CHECK_FALSE(has(result.out + result.err, "bad_alloc"));
  }
  std::string deep = R"({"plan":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  write_text(d / ("wirespool-" + start + ".capture.json"), deep);
  CHECK(rig.shell("ulimit -v 1000000; $W ls $1", d.string()).exit_code == 0);
  auto hostile = ledger_line(Timestamp{1'795'723'475'000'000'000}, 0, 0);
  hostile.ended_by = "\x1b]0;pwned";
  const auto line = format::encode_ledger_line(hostile);
  write_text(d / ("wirespool-" + start + ".ledger.jsonl"), line + "\n");
  write_text(d / ("wirespool-" + start + ".capture.json"), capture_json({.drives = 1}, line));
  const auto listed = rig.run({"ls", d.string()});
  CHECK(has(listed.out, "\\x1b]0;pwned"));
  CHECK_FALSE(has(listed.out, "\x1b"));
}

TEST_CASE("a file that ls could not read to its end is not listed with the packets of a part of it") {
  const Rig rig;
  auto bytes = pcap_bytes(packets(50));
  bytes.resize(bytes.size() - 5);
  const auto file = rig.put("x.pcap", bytes);
  const auto listed = rig.run({"ls", "--scan", "--json", file.string()});
  INFO(listed.describe());
  CHECK(has(listed.out, R"("counted":false)"));
  CHECK_FALSE(has(listed.out, R"("packets":49)"));
  CHECK(has(listed.out + listed.err, "the last record is cut short"));
}

TEST_CASE("a filter that a link type cannot have is refused, one that only the file's own can have is taken") {
  const Rig rig;
  const auto raw = rig.put("raw.pcap", pcap_bytes(packets(3), {.linktype = 101}));
  write_text(rig.out, "precious");
  const auto refused = rig.extract({raw.string(), "--filter", "ether host 02:00:00:00:00:01"});
  CHECK(refused.exit_code == 1);
  CHECK(has(refused.err, "--filter: for packets of link type RAW: "));
  CHECK(text_of(rig.out) == "precious");
  const auto wlan = rig.put("wlan.pcap", pcap_bytes(packets(3), {.linktype = 105}));
  CHECK(rig.extract({wlan.string(), "--filter", "type mgt"}).ok());
}

TEST_CASE("a compressed file is refused with what makes it readable, and a pipe is read") {
  const Rig rig;
  const auto trace = packets(500);
  const auto file = rig.put("t.pcap", pcap_bytes(trace));
  if (!have_program("gzip")) return skip("compressed files", "needs gzip");
  REQUIRE(rig.shell("gzip -k $1", file.string()).ok());
  const auto packed = rig.extract({file.string() + ".gz"});
  CHECK(packed.exit_code == 1);
  CHECK(has(packed.err, "`gzip -dc FILE | wirespool extract - -w OUT`"));
  const auto piped = rig.shell("export TMPDIR=" + rig.directory.str() + "; gzip -dc $1.gz | $W extract - -w $2",
                               file.string(), rig.out.string());
  INFO(piped.describe());
  CHECK(piped.ok());
  CHECK(compare_in_order(trace, read_pcap(rig.out)) == "");
  const auto fifo =
      rig.shell("export TMPDIR=$(dirname $1); mkfifo $1.fifo; cat $1 > $1.fifo & $W extract $1.fifo -w $2",
                file.string(), rig.out.string());
  INFO(fifo.describe());
  CHECK(fifo.ok());
  CHECK(compare_in_order(trace, read_pcap(rig.out)) == "");
  const auto junk =
      rig.shell("export TMPDIR=$(dirname $1); echo junk | $W extract - -w $2", file.string(), rig.out.string());
  CHECK(junk.exit_code == 1);
  CHECK(has(junk.err, "standard input: it is neither pcap nor pcapng"));
}

TEST_CASE("comments of a pcapng file are not lost without a word") {
  if (!have_program("editcap")) return skip("comments", "needs editcap");
  const Rig rig;
  const auto file = rig.put("t.pcap", pcap_bytes(packets(5)));
  const auto commented = rig.directory / "c.pcapng";
  if (!run_process({"editcap", "-F", "pcapng", "-a", "2:look here", file.string(), commented.string()}).ok())
    return skip("comments", "this editcap writes none");
  const auto result = rig.extract({commented.string()});
  CHECK(result.ok());
  CHECK(has(result.err, "only its packets are taken over, without its comments"));
  const auto of_file = rig.directory / "f.pcapng";
  REQUIRE(run_process({"editcap", "-F", "pcapng", "--capture-comment", "taken by me", file.string(), of_file.string()})
              .ok());
  CHECK(has(rig.extract({of_file.string()}).err, "only its packets are taken over, without its comments"));
  CHECK(rig.extract({file.string()}).err == "");
}

TEST_CASE("a file whose packets go back in time is told, and none of them is lost") {
  const Rig rig;
  const auto sorted = packets(100);
  Trace mixed;
  for (std::size_t i = 0; i < sorted.size(); ++i) mixed.append(sorted[i ^ 1]);
  const auto file = rig.put("mixed.pcap", pcap_bytes(mixed)),
             other = rig.put("other.pcap", pcap_bytes(packets(100, 2)));
  const auto result = rig.extract({file.string(), other.string()});
  CHECK(result.ok());
  CHECK(has(result.err, "mixed.pcap: its packets are not in order of time"));
  CHECK(has(result.err, "reordercap"));
  CHECK_FALSE(has(result.err, "other.pcap"));
  CHECK(read_pcap(rig.out).size() == 200);
}

TEST_CASE("a time after 2106 does not become an early one in a pcap file") {
  const Rig rig;
  Trace trace;
  const std::vector<std::byte> frame(60);
  trace.append({Timestamp{5'000'000'000ull * 1'000'000'000}, 60, frame});
  const auto file = rig.put("late.pcapng", pcapng_bytes(trace));
  const auto refused = rig.extract({file.string()});
  CHECK(refused.exit_code == 1);
  CHECK(has(refused.err, "use --format pcapng"));
  REQUIRE(rig.extract({file.string(), "--format", "pcapng"}).ok());
  auto read = SpoolFile::open(rig.out.string());
  CHECK(read->next()->view.time == trace[0].time);
}

namespace {

// A capture of two files' worth of packets with a ledger of a line a second; the final one is in capture.json.
struct Captured {
  static constexpr std::uint64_t second = 1'000'000'000;
  static constexpr Timestamp start{1'767'225'600 * second};
  fs::path directory;
  Trace trace = packets(100);
  std::vector<std::string> files;

  explicit Captured(const Rig& rig) : directory(rig.directory / "d") {
    fs::create_directory(directory);
    Layout layout;
    layout.stem = "t";
    layout.directories = {directory};
    files = lay_out(trace, layout);
  }
  // What had been dropped by the handoff, second by second; nullopt at the end: it still runs.
  void lost(const std::vector<std::uint64_t>& dropped, bool ended) const {
    std::string lines, last;
    for (std::size_t i = 0; i < dropped.size(); ++i) {
      const bool final = ended && i + 1 == dropped.size();
      auto line = ledger_line(Timestamp{start.ns + i * second}, 0, 0, dropped[i], final);
      line.elapsed_ns = i * second;
      line.ports.front().nic_missed = 0;
      last = format::encode_ledger_line(line);
      lines += last + "\n";
    }
    write_text(directory / "t-20260101T000000.000000000Z.ledger.jsonl", lines);
    write_text(directory / "t-20260101T000000.000000000Z.capture.json", capture_json({}, ended ? last : "null"));
  }
};

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  const auto begin = end == std::string::npos ? end : text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

}  // namespace

TEST_CASE(
    "extract's last line says what the ledger knows to be missing, by cause and when, and --strict exits with 4") {
  const Rig rig;
  const Captured captured(rig);
  const auto directory = captured.directory.string();
  captured.lost({0, 0, 7, 9, 9, 12, 12}, true);
  const auto all = rig.extract({directory});
  INFO(all.describe());
  CHECK(all.exit_code == 0);
  CHECK(last_line(all.err) ==
        "wirespool: missing packets in that time: 12 by the ledger: drop_handoff 12: "
        "2026-01-01T00:00:01.000000000Z to 2026-01-01T00:00:03.000000000Z drop_handoff 9, "
        "2026-01-01T00:00:04.000000000Z to 2026-01-01T00:00:05.000000000Z drop_handoff 3");
  CHECK(rig.extract({directory, "--strict"}).exit_code == 4);
  const auto later = rig.extract({directory, "--from", "2026-01-01T00:00:04.5Z", "--strict"});
  CHECK(later.exit_code == 4);
  CHECK(has(last_line(later.err), " 3 by the ledger: drop_handoff 3: 2026-01-01T00:00:04.0"));
  const auto before = rig.extract({directory, "--to", "2026-01-01T00:00:01Z", "--strict"});
  CHECK(before.exit_code == 0);
  CHECK(last_line(before.err) == "wirespool: missing packets in that time: none by the ledger");
}

TEST_CASE("what no ledger tells is said to be not known, and is no loss for --strict") {
  const Rig rig;
  const Captured captured(rig);
  captured.lost({0, 0}, false);
  const auto lone = rig.extract({captured.files.front(), "--strict"});
  CHECK(lone.exit_code == 0);
  CHECK(has(last_line(lone.err), "missing packets: not known, as no capture's ledger was read: name its directory"));
  const auto running = rig.extract({captured.directory.string(), "--strict"});
  CHECK(running.exit_code == 0);
  CHECK(
      last_line(running.err) ==
      "wirespool: missing packets in that time: none by the ledger; t-20260101T000000.000000000Z tells of the time up "
      "to 2026-01-01T00:00:01.000000000Z");
  fs::remove(captured.directory / "t-20260101T000000.000000000Z.ledger.jsonl");
  const auto without = rig.extract({captured.directory.string()});
  CHECK(last_line(without.err) ==
        "wirespool: missing packets in that time: not known; t-20260101T000000.000000000Z has no ledger");
}

TEST_CASE("when a port was away is part of the last line, as nobody knows how many packets that was") {
  const Rig rig;
  const Captured captured(rig);
  captured.lost({0, 0}, true);
  auto line = ledger_line(Timestamp{Captured::start.ns + Captured::second}, 0, 0);
  line.ports.front().nic_missed = 0;
  line.gaps = {{.port = 0, .from = Captured::start, .to = Timestamp{Captured::start.ns + 5}, .why = "reset"}};
  write_text(captured.directory / "t-20260101T000000.000000000Z.capture.json",
             capture_json({}, format::encode_ledger_line(line)));
  const auto result = rig.extract({captured.directory.string()});
  CHECK(last_line(result.err) ==
        "wirespool: missing packets in that time: none by the ledger; port 0 was away from "
        "2026-01-01T00:00:00.000000000Z to 2026-01-01T00:00:00.000000005Z");
}

TEST_CASE("a capture whose ledger is gone still says how much it lost in all") {
  const Rig rig;
  const Captured captured(rig);
  captured.lost({0, 4, 4}, true);
  fs::remove(captured.directory / "t-20260101T000000.000000000Z.ledger.jsonl");
  const auto result = rig.extract({captured.directory.string(), "--strict"});
  INFO(result.describe());
  CHECK(result.exit_code == 4);
  CHECK(has(last_line(result.err), " 4 by the ledger: drop_handoff 4: 2026-01-01T00:00:00.000000000Z to "));
}

TEST_CASE("standard output that is a file that is read, and standard output twice, are refused") {
  const Rig rig;
  const auto input = rig.put("x.pcap", pcap_bytes(packets(5)));
  const auto before = text_of(input);
  const auto appended = rig.shell("$W extract \"$1\" -w - >> \"$1\"", input.string());
  CHECK(appended.exit_code == 1);
  CHECK(text_of(input) == before);
  const auto twice = rig.run({"extract", input.string(), "--filter", "udp", "-w", "-", "--filter", "tcp", "-w", "-"});
  CHECK(twice.exit_code == 1);
  CHECK(twice.out.empty());
  const auto same = rig.shell("$W extract \"$1\" --filter udp -w - --filter tcp -w \"$2\" > \"$2\"", input.string(),
                              rig.out.string());
  CHECK(same.exit_code == 1);
  CHECK(has(same.err, "two outputs would go to one file"));
}
