// SPDX-License-Identifier: BSD-3-Clause
#include <liburing.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "policy/patience.hpp"
#include "storage/io_queue.hpp"
#include "storage/steady_time.hpp"

namespace wirespool::storage {
namespace {

// io_uring_setup(2); by number because liburing 2.1 does not name them. Since Linux 5.19: completions
// are posted when the owner next enters the kernel, instead of by interrupting it, and a bit in the submission ring
// says that some wait. Without the bit an owner that only polls memory would see nothing before its next timer tick.
constexpr unsigned setup_coop_taskrun = 1U << 8;
constexpr unsigned setup_taskrun_flag = 1U << 9;
constexpr unsigned sq_cq_overflow = 1U << 1;
constexpr unsigned sq_taskrun = 1U << 2;

// io_uring_register_restrictions(3): what a ring takes once it is enabled; any other operation, register call and flag
// of a request is EACCES.
io_uring_restriction operation(std::uint8_t code) noexcept {
  io_uring_restriction restriction{};
  restriction.opcode = IORING_RESTRICTION_SQE_OP;
  restriction.sqe_op = code;
  return restriction;
}

io_uring_restriction register_call(std::uint8_t code) noexcept {
  io_uring_restriction restriction{};
  restriction.opcode = IORING_RESTRICTION_REGISTER_OP;
  restriction.register_op = code;
  return restriction;
}

// io_uring_register_buffers(3): one registered buffer is at most 1 GiB.
constexpr std::size_t piece_bytes = std::size_t{1} << 30;

constexpr unsigned most_entries = 32768;  // io_uring_setup(2), EINVAL

std::string with_reason(std::string what, int code) { return IoError{std::move(what), code}.message(); }

int enter(const io_uring& ring, unsigned to_submit, unsigned flags) noexcept {
  return static_cast<int>(::syscall(SYS_io_uring_enter, ring.ring_fd, to_submit, 0, flags, nullptr, 0));
}

// io_uring_register(2), for what liburing 2.3 declares and does not export. 0 or an errno.
int call_register(const io_uring& ring, unsigned opcode, void* argument, std::size_t count) noexcept {
  const auto result = ::syscall(SYS_io_uring_register, ring.ring_fd, opcode, argument, static_cast<unsigned>(count));
  return result < 0 ? errno : 0;
}

// io_uring_enter(2): the request stays in the submission ring and may be tried again.
bool passes(int code) noexcept { return code == EAGAIN || code == EBUSY || code == EINTR || code == ENOMEM; }

// Used by one thread; in_flight_ counts what was taken by submit() and not yet given back by reap(). It never exceeds
// the submission ring, and the completion ring is twice that (io_uring_setup(2)), so neither ever overflows.
class UringQueue final : public IoQueue {
 public:
  explicit UringQueue(const IoQueueOptions& options)
      : registered_(options.registered), worker_cpu_(options.worker_cpu), patience_(options.patience_ns) {}
  UringQueue(const UringQueue&) = delete;
  UringQueue& operator=(const UringQueue&) = delete;
  ~UringQueue() override;

  int open(unsigned entries);
  bool submit(const WriteRequest& request) noexcept override;
  std::size_t reap(std::span<WriteResult> results) noexcept override;
  std::string notice() const override { return notice_; }

 private:
  void register_buffers();
  int enable();
  void note(const std::string& line);
  void try_worker_cpu();
  int keep_workers_on_cpu() noexcept;
  int allow_workers() noexcept;
  void settle() noexcept;
  int registered_piece(const WriteRequest& request) const noexcept;
  void prepare(io_uring_sqe& sqe, const WriteRequest& request) const noexcept;
  void push() noexcept;
  void give_up(int code) noexcept;
  void fetch_completions() noexcept;
  std::size_t take_refused(std::span<WriteResult> results) noexcept;
  std::size_t take_completed(std::span<WriteResult> results) noexcept;

  io_uring ring_{};
  std::span<std::byte> registered_;
  int worker_cpu_;
  unsigned limit_ = 0;         // most writes in flight; 0: there is no ring
  unsigned in_flight_ = 0;     // submitted and not given back
  bool settled_ = false;       // the owner's own set-up is done
  policy::Patience patience_;  // with a kernel that says EAGAIN
  int given_up_ = 0;           // errno with which the kernel refused the ring for good
  std::vector<WriteResult> refused_;
  std::string notice_;
};

UringQueue::~UringQueue() {
  if (limit_ == 0) return;
  std::size_t waiting = in_flight_ - refused_.size() - (given_up_ == 0 ? io_uring_sq_ready(&ring_) : 0);
  while (waiting > 0) {
    io_uring_cqe* cqe = nullptr;
    const int result = io_uring_wait_cqe(&ring_, &cqe);
    if (result < 0 && result != -EINTR && result != -EAGAIN) break;
    if (result != 0) continue;
    io_uring_cqe_seen(&ring_, cqe);
    --waiting;
  }
  io_uring_queue_exit(&ring_);
}

// 0 or an errno.
int UringQueue::open(unsigned entries) {
  const unsigned wanted = std::clamp(entries, 1U, most_entries);
  int result = -EINVAL;
  for (const unsigned flags : {setup_coop_taskrun | setup_taskrun_flag, 0U}) {
    io_uring_params parameters{};
    parameters.flags = flags | IORING_SETUP_R_DISABLED;
    result = io_uring_queue_init_params(wanted, &ring_, &parameters);
    if (result != -EINVAL) break;
  }
  if (result < 0) return -result;
  limit_ = wanted;
  refused_.reserve(wanted);
  if (!registered_.empty()) register_buffers();
  if (const int code = enable(); code != 0) return code;
  if (const int code = allow_workers(); code != 0)
    note(with_reason("io_uring: a drive that hangs may hold up the others: the kernel keeps the number of workers",
                     code));
  if (worker_cpu_ >= 0) try_worker_cpu();
  return 0;
}

void UringQueue::register_buffers() {
  std::vector<iovec> pieces;
  for (std::size_t at = 0; at < registered_.size(); at += piece_bytes)
    pieces.push_back({registered_.data() + at, std::min(piece_bytes, registered_.size() - at)});
  const int result = io_uring_register_buffers(&ring_, pieces.data(), static_cast<unsigned>(pieces.size()));
  if (result >= 0) return;
  registered_ = {};
  note(with_reason("io_uring: buffers are not registered, every write pins its own", -result));
}

// The ring takes requests from now on (Linux 5.10), and of these only writes: whoever gets hold of a capture's lcore
// has no way around its list of system calls here. 0 or an errno.
int UringQueue::enable() {
  std::array restrictions{operation(IORING_OP_WRITE), operation(IORING_OP_WRITE_FIXED),
                          register_call(IORING_REGISTER_IOWQ_AFF), register_call(IORING_UNREGISTER_IOWQ_AFF),
                          register_call(IORING_REGISTER_IOWQ_MAX_WORKERS)};
  if (const int code = call_register(ring_, IORING_REGISTER_RESTRICTIONS, restrictions.data(), restrictions.size());
      code != 0)
    note(with_reason("io_uring: the ring would take more than writes", code));
  return call_register(ring_, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

void UringQueue::note(const std::string& line) {
  notice_ += notice_.empty() ? "" : "; ";
  notice_ += line;
}

// Tries, on the thread that makes the queue and can still give a notice, what settle() will do later.
void UringQueue::try_worker_cpu() {
  const int code = keep_workers_on_cpu();
  if (code == 0) {
    io_uring_unregister_iowq_aff(&ring_);
    return;
  }
  note(with_reason("io_uring: the kernel's workers run anywhere, not on CPU " + std::to_string(worker_cpu_), code));
  worker_cpu_ = -1;
}

// io_uring_register(2), IORING_REGISTER_IOWQ_AFF (Linux 5.14). Workers belong to the thread that submits, not to the
// ring.
int UringQueue::keep_workers_on_cpu() noexcept {
  if (worker_cpu_ >= std::min(::get_nprocs_conf(), CPU_SETSIZE)) return EINVAL;  // the kernel would accept an empty set
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<std::size_t>(worker_cpu_), &cpus);
  return -io_uring_register_iowq_aff(&ring_, sizeof cpus, &cpus);
}

// io_uring_register(2), IORING_REGISTER_IOWQ_MAX_WORKERS (Linux 5.15). By default a thread gets at most four times as
// many workers for files as there are CPUs. Each write to a drive that hangs keeps one; once all are kept, writes to
// all other drives would wait.
int UringQueue::allow_workers() noexcept {
  std::array<unsigned, 2> most{limit_, 0};  // for files, and for what may wait for ever; 0: unchanged
  return -io_uring_register_iowq_max_workers(&ring_, most.data());
}

// Once, on the owner's thread, before its first write. Entering the kernel to submit nothing gives the thread its
// worker pool, whose CPU and size can then be set.
void UringQueue::settle() noexcept {
  settled_ = true;
  enter(ring_, 1, 0);
  allow_workers();
  if (worker_cpu_ >= 0) keep_workers_on_cpu();
}

// Which registered piece the whole request lies in; -1: none.
int UringQueue::registered_piece(const WriteRequest& request) const noexcept {
  if (registered_.empty() || request.data < registered_.data()) return -1;
  const auto first = static_cast<std::size_t>(request.data - registered_.data());
  const std::size_t end = first + request.bytes;
  if (request.bytes == 0 || end > registered_.size() || first / piece_bytes != (end - 1) / piece_bytes) return -1;
  return static_cast<int>(first / piece_bytes);
}

void UringQueue::prepare(io_uring_sqe& sqe, const WriteRequest& request) const noexcept {
  const int piece = registered_piece(request);
  if (piece >= 0)
    io_uring_prep_write_fixed(&sqe, request.fd, request.data, request.bytes, request.offset, piece);
  else
    io_uring_prep_write(&sqe, request.fd, request.data, request.bytes, request.offset);
  sqe.user_data = request.tag;
}

bool UringQueue::submit(const WriteRequest& request) noexcept {
  if (in_flight_ == limit_) return false;
  if (!settled_) settle();
  if (given_up_ != 0) {
    refused_.push_back({request.tag, -given_up_});
    ++in_flight_;
    return true;
  }
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) return false;
  prepare(*sqe, request);
  ++in_flight_;
  push();
  return true;
}

// Hands the kernel all it has not taken yet. What it refuses for now (EAGAIN, EBUSY) stays in the submission ring,
// once, and goes with the next submit() or reap(). A kernel that takes nothing for too long has refused for good: this
// is ETIMEDOUT, because the owner would retry after EAGAIN.
void UringQueue::push() noexcept {
  const int result = io_uring_submit(&ring_);
  if (result > 0) return patience_.went_on();
  if (result < 0 && !passes(-result)) return give_up(-result);
  if (patience_.ends_at(steady_ns())) give_up(ETIMEDOUT);
}

// The ring can no longer be entered (for example, a sandbox closed it): what the kernel never took is given back as
// failed.
void UringQueue::give_up(int code) noexcept {
  given_up_ = code;
  const unsigned mask = *ring_.sq.kring_mask;
  const unsigned waiting = io_uring_sq_ready(&ring_);
  for (unsigned at = ring_.sq.sqe_tail - waiting; at != ring_.sq.sqe_tail; ++at)
    refused_.push_back({ring_.sq.sqes[at & mask].user_data, -code});
}

// Enters the kernel only if the kernel has flagged that completions wait inside.
void UringQueue::fetch_completions() noexcept {
  if (given_up_ == 0 && io_uring_sq_ready(&ring_) > 0) push();
  if (io_uring_cq_ready(&ring_) > 0) return;
  const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED);
  if ((flags & (sq_taskrun | sq_cq_overflow)) != 0) enter(ring_, 0, IORING_ENTER_GETEVENTS);
}

std::size_t UringQueue::take_refused(std::span<WriteResult> results) noexcept {
  const std::size_t taken = std::min(results.size(), refused_.size());
  std::copy_n(refused_.begin(), taken, results.begin());
  refused_.erase(refused_.begin(), refused_.begin() + static_cast<std::ptrdiff_t>(taken));
  return taken;
}

std::size_t UringQueue::take_completed(std::span<WriteResult> results) noexcept {
  std::size_t taken = 0;
  unsigned head = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    if (taken == results.size()) break;
    results[taken++] = {cqe->user_data, cqe->res};
  }
  io_uring_cq_advance(&ring_, static_cast<unsigned>(taken));
  return taken;
}

std::size_t UringQueue::reap(std::span<WriteResult> results) noexcept {
  if (in_flight_ == 0) return 0;
  fetch_completions();
  std::size_t taken = take_completed(results);
  if (!refused_.empty()) taken += take_refused(results.subspan(taken));
  in_flight_ -= static_cast<unsigned>(taken);
  return taken;
}

}  // namespace

std::expected<std::unique_ptr<IoQueue>, IoError> make_uring_queue(const IoQueueOptions& options) {
  auto queue = std::make_unique<UringQueue>(options);
  if (const int code = queue->open(options.entries); code != 0)
    return std::unexpected(IoError{"setting up io_uring: io_uring_setup", code});
  return queue;
}

}  // namespace wirespool::storage
