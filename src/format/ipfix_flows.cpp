// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "format/bytes.hpp"
#include "format/flow_encoder.hpp"

// A file is messages behind each other. Each has a header, and sets of records that have one template; the first one of
// a file begins with all templates. All numbers are big-endian.
namespace wirespool::format {
namespace {

constexpr std::uint16_t version = 10, template_set = 2, first_template = 256;
constexpr std::size_t message_header = 16, set_header = 4;
constexpr std::size_t most_message = 32768;   // of the 65535 that its length can say
constexpr std::uint32_t reverse_pen = 29305;  // RFC 5103, section 6.1
constexpr std::uint16_t enterprise_bit = 0x8000;

// IANA's registry "IPFIX Information Elements".
enum Element : std::uint16_t {
  octet_delta_count = 1,
  packet_delta_count = 2,
  protocol_identifier = 4,
  tcp_control_bits = 6,
  source_transport_port = 7,
  source_ipv4_address = 8,
  ingress_interface = 10,
  destination_transport_port = 11,
  destination_ipv4_address = 12,
  source_ipv6_address = 27,
  destination_ipv6_address = 28,
  vlan_id = 58,
  flow_end_reason = 136,
  flow_start_nanoseconds = 156,
  flow_end_nanoseconds = 157,
  dot1q_customer_vlan_id = 245,
};

struct Field {
  std::uint16_t element, bytes;
  bool reverse = false;
};

// Records differ in the kind of their addresses and in how many tags they have.
struct Shape {
  bool v6 = false;
  unsigned tags = 0;  // 0 to 2

  std::uint16_t template_id() const { return static_cast<std::uint16_t>(first_template + 2 * tags + v6); }

  std::vector<Field> fields() const {
    const std::uint16_t address = v6 ? 16 : 4;
    std::vector<Field> fields{{flow_start_nanoseconds, 8},
                              {flow_end_nanoseconds, 8},
                              {v6 ? source_ipv6_address : source_ipv4_address, address},
                              {v6 ? destination_ipv6_address : destination_ipv4_address, address},
                              {source_transport_port, 2},
                              {destination_transport_port, 2},
                              {protocol_identifier, 1},
                              {flow_end_reason, 1},
                              {tcp_control_bits, 2},
                              {tcp_control_bits, 2, true},
                              {packet_delta_count, 8},
                              {octet_delta_count, 8},
                              {packet_delta_count, 8, true},
                              {octet_delta_count, 8, true},
                              {ingress_interface, 4}};
    if (tags > 0) fields.push_back({vlan_id, 2});
    if (tags > 1) fields.push_back({dot1q_customer_vlan_id, 2});
    return fields;
  }
};

Shape shape_of(const FlowRecord& record) {
  const auto tags = std::ranges::count_if(record.vlan, [](auto id) { return id != Layers::no_vlan; });
  return {record.version == 6, static_cast<unsigned>(tags)};
}

template <typename T>
void put(std::string& out, T value) {
  const T swapped = swap_bytes(value);
  out.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
}

template <typename T>
void put_at(std::string& out, std::size_t offset, T value) {
  const T swapped = swap_bytes(value);
  std::memcpy(&out[offset], &swapped, sizeof swapped);
}

// dateTimeNanoseconds (RFC 7011, section 6.1.10): seconds since 1900 and fractions of 2^-32, modulo 2^32 seconds. The
// fraction is rounded up, so that a reader who rounds down has the nanosecond back.
std::uint64_t ntp_time(Timestamp time) {
  constexpr std::uint64_t seconds_1900_to_1970 = 2'208'988'800, second = 1'000'000'000;
  const auto fraction = ((std::uint64_t{time.nanoseconds()} << 32) + second - 1) / second;
  return (time.ns / second + seconds_1900_to_1970) << 32 | fraction;
}

class IpfixFlows final : public FlowEncoder {
 public:
  void add(const FlowRecord& record, std::string& out) override {
    if (message_.empty()) begin_message();
    const auto shape = shape_of(record);
    if (set_ != shape.template_id()) begin_set(shape.template_id());
    newest_ = std::max(newest_, record.last.seconds());
    put_record(record, shape);
    ++records_;
    constexpr std::size_t longest_record = 128;
    if (message_.size() + set_header + longest_record > most_message) flush(out);
  }

  void flush(std::string& out) override {
    if (message_.empty()) return;
    end_set();
    put_at(message_, 2, static_cast<std::uint16_t>(message_.size()));
    put_at(message_, 4, newest_);
    put_at(message_, 8, before_);
    before_ += records_;
    records_ = 0;
    out += message_;
    message_.clear();
  }

 private:
  // Its length, export time and sequence number are filled in at its end.
  void begin_message() {
    put(message_, version);
    message_.resize(message_header - 4);
    put(message_, std::uint32_t{1});  // observation domain
    if (!templates_out_) put_templates();
    templates_out_ = true;
  }

  void put_templates() {
    begin_set(template_set);
    for (unsigned tags = 0; tags <= 2; ++tags)
      for (const bool v6 : {false, true}) put_template({v6, tags});
    end_set();
  }

  void put_template(Shape shape) {
    const auto fields = shape.fields();
    put(message_, shape.template_id());
    put(message_, static_cast<std::uint16_t>(fields.size()));
    for (const auto& field : fields) {
      put(message_, static_cast<std::uint16_t>(field.element | (field.reverse ? enterprise_bit : 0)));
      put(message_, field.bytes);
      if (field.reverse) put(message_, reverse_pen);
    }
  }

  void begin_set(std::uint16_t id) {
    end_set();
    set_ = id;
    set_at_ = message_.size();
    put(message_, id);
    put(message_, std::uint16_t{0});
  }

  void end_set() {
    if (set_) put_at(message_, set_at_ + 2, static_cast<std::uint16_t>(message_.size() - set_at_));
    set_ = 0;
  }

  // In the order of Shape::fields().
  void put_record(const FlowRecord& record, Shape shape) {
    put(message_, ntp_time(record.first));
    put(message_, ntp_time(record.last));
    for (const auto& address : record.addresses)
      message_.append(reinterpret_cast<const char*>(address.data()), shape.v6 ? 16 : 4);
    for (const auto port : record.ports) put(message_, port);
    message_ += static_cast<char>(record.protocol);
    message_ += static_cast<char>(record.end);
    for (const auto flags : record.tcp_flags) put(message_, std::uint16_t{flags});
    for (std::size_t way = 0; way < 2; ++way) {
      put(message_, record.packets[way]);
      put(message_, record.bytes[way]);
    }
    put(message_, std::uint32_t{record.port});
    for (unsigned tag = 0; tag < shape.tags; ++tag) put(message_, record.vlan[tag]);
  }

  std::string message_;
  std::size_t set_at_ = 0;
  std::uint16_t set_ = 0;                   // the set that is open; 0: none
  std::uint32_t records_ = 0, before_ = 0;  // in this message; in those before it
  std::uint32_t newest_ = 0;                // second of a packet: when the message was made, at the earliest
  bool templates_out_ = false;
};

}  // namespace

std::unique_ptr<FlowEncoder> make_ipfix_flows() { return std::make_unique<IpfixFlows>(); }

}  // namespace wirespool::format
