// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "support/process.hpp"

namespace wirespool::test {

// "" if interfaces and namespaces can be made here, else why not: for a skipped test's last line.
std::string why_no_network();

// A network namespace with a name no other test has; removed, with all that is in it, by the destructor.
class NetNamespace {
 public:
  NetNamespace();  // throws std::runtime_error
  NetNamespace(const NetNamespace&) = delete;
  NetNamespace& operator=(const NetNamespace&) = delete;
  ~NetNamespace();

  const std::string& name() const { return name_; }
  Command inside(const Command& command) const;  // the command as run in this namespace

 private:
  std::string name_;
};

// Two interfaces joined by a wire, up, without IPv6, so that no frame appears which nobody sent. In a namespace of
// their own or, given none, in the one the test runs in; removed by the destructor.
class VethPair {
 public:
  explicit VethPair(const NetNamespace* where = nullptr, unsigned mtu = 1500);  // throws std::runtime_error
  VethPair(const VethPair&) = delete;
  VethPair& operator=(const VethPair&) = delete;
  ~VethPair();

  const std::string& left() const { return left_; }
  const std::string& right() const { return right_; }
  void set_up(const std::string& end, bool up) const;  // link up and down

 private:
  Command in_place(const Command& command) const;
  const NetNamespace* where_;
  std::string left_, right_;
};

}  // namespace wirespool::test
