// SPDX-License-Identifier: BSD-3-Clause
#include "plan/words.hpp"

namespace wirespool::plan {

template <typename Choice>
using Words = options::Choices<Choice>;

const Words<Until>& words_of(Until) {
  static const Words<Until> words{
      {"rx", Until::rx}, {"handoff", Until::handoff}, {"block", Until::block}, {"disk", Until::disk}};
  return words;
}

const Words<HandoffKind>& words_of(HandoffKind) {
  static const Words<HandoffKind> words{{"packets", HandoffKind::packets}, {"blocks", HandoffKind::blocks}};
  return words;
}

const Words<WhenFull>& words_of(WhenFull) {
  static const Words<WhenFull> words{{"drop", WhenFull::drop}, {"wait", WhenFull::wait}, {"trim", WhenFull::trim}};
  return words;
}

const Words<Rss>& words_of(Rss) {
  static const Words<Rss> words{{"symmetric", Rss::symmetric}, {"device", Rss::device}, {"off", Rss::off}};
  return words;
}

const Words<TimestampSource>& words_of(TimestampSource) {
  static const Words<TimestampSource> words{
      {"auto", TimestampSource::automatic}, {"hw", TimestampSource::hw}, {"tsc", TimestampSource::tsc}};
  return words;
}

const Words<OnFailure>& words_of(OnFailure) {
  static const Words<OnFailure> words{{"continue", OnFailure::carry_on}, {"stop", OnFailure::stop}};
  return words;
}

const Words<Io>& words_of(Io) {
  static const Words<Io> words{{"uring", Io::uring}, {"pwrite", Io::pwrite}};
  return words;
}

const Words<FileFormat>& words_of(FileFormat) {
  static const Words<FileFormat> words{{"pcap", FileFormat::pcap}, {"pcapng", FileFormat::pcapng}};
  return words;
}

const Words<IndexLevel>& words_of(IndexLevel) {
  static const Words<IndexLevel> words{
      {"off", IndexLevel::off}, {"time", IndexLevel::time}, {"flow", IndexLevel::flow}};
  return words;
}

const Words<FilterEngine>& words_of(FilterEngine) {
  static const Words<FilterEngine> words{{"librte_bpf, machine code", FilterEngine::machine_code},
                                         {"librte_bpf, interpreted", FilterEngine::ebpf},
                                         {"libpcap", FilterEngine::libpcap}};
  return words;
}

const Words<Idle>& words_of(Idle) {
  static const Words<Idle> words{{"poll", Idle::poll}, {"adaptive", Idle::adaptive}};
  return words;
}

const Words<CutoffThen>& words_of(CutoffThen) {
  static const Words<CutoffThen> words{{"headers", CutoffThen::headers}, {"nothing", CutoffThen::nothing}};
  return words;
}

const Words<FlowFormat>& words_of(FlowFormat) {
  static const Words<FlowFormat> words{{"ipfix", FlowFormat::ipfix}, {"json", FlowFormat::json}};
  return words;
}

const Words<StatsOutput>& words_of(StatsOutput) {
  static const Words<StatsOutput> words{{"auto", StatsOutput::automatic},
                                        {"console", StatsOutput::console},
                                        {"json", StatsOutput::json},
                                        {"none", StatsOutput::none}};
  return words;
}

}  // namespace wirespool::plan
