#include "platform/stop_signal.hpp"

#include <emmintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <mutex>

#include "moult/error.hpp"
#include "platform/futex.hpp"
#include "platform/tasks.hpp"
#include "platform/x86_64/interrupted_call.hpp"
#include "platform/x86_64/syscall.hpp"

namespace moult::internal {
namespace {

enum Phase : std::uint32_t { vacant = 0, asked = 1, arriving = 2, stopped = 3, stepping = 4, phase_mask = 7 };
constexpr std::uint32_t one_use = 8;

constexpr std::uint32_t slots_a_chunk = 256;
constexpr std::uint32_t most_chunks = 1024;

/// The signal handler's global: what the handler needs to find its slot and to report.
struct Rendezvous {
  std::atomic<StopSlot*> chunks[most_chunks] = {};
  std::atomic<std::uint32_t> arrived{0};  ///< a futex
  std::atomic<std::uint32_t> wanted{0};
  std::atomic<std::uint32_t> releases{0};  ///< a futex: how often threads were released
};
constinit Rendezvous rendezvous;

std::uint32_t in_phase(std::uint32_t word, Phase phase) noexcept { return (word & ~std::uint32_t{phase_mask}) | phase; }

void* signal_value(std::uint32_t index, std::uint32_t word) noexcept {
  return reinterpret_cast<void*>((std::uintptr_t{word} << 32) | index);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) StopSlot* slot_of(std::uint32_t index) noexcept {
  if (index / slots_a_chunk >= most_chunks) return nullptr;
  StopSlot* chunk = rendezvous.chunks[index / slots_a_chunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : chunk + index % slots_a_chunk;
}

/// The wakes that a slot's thread listens to. One futex for all lets one system call wake all threads. The bits keep
/// most threads asleep if only a few are released.
std::uint32_t bit_of(const StopSlot& slot) noexcept { return std::uint32_t{1} << slot.index % 32; }

/// Publishes this thread in its slot, which is `arriving`, and waits to be released.
__attribute__((no_sanitize("address", "thread", "undefined"))) void stay(StopSlot& slot, std::uint32_t here,
                                                                         ucontext_t& context) noexcept {
  slot.context = &context;
  slot.locks = lock_use();
  slot.uncaught_exceptions = std::uncaught_exceptions();
  slot.at_syscall = is_at_syscall(context);
  std::uint32_t arrived = rendezvous.arrived.fetch_add(1) + 1;
  slot.word.store(here);
  if (arrived == rendezvous.wanted.load()) futex_wake_all(rendezvous.arrived);
  for (;;) {
    // Read before the slot's word: the releasing thread writes them in the other order.
    std::uint32_t releases = rendezvous.releases.load();
    std::uint32_t word = slot.word.load();
    if (word == in_phase(here + one_use, Phase::stepping)) begin_steps(slot, word, context);
    if (word != here) break;
    futex_wait(rendezvous.releases, releases, bit_of(slot));
  }
  slot.has_left.store(true);
}

/// False if the request was withdrawn.
__attribute__((no_sanitize("address", "thread", "undefined"))) bool accept(StopSlot& slot,
                                                                           std::uint32_t request) noexcept {
  return slot.word.compare_exchange_strong(request, in_phase(request, Phase::arriving), std::memory_order_acq_rel);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) void on_stop_signal(int, siginfo_t* info, void* data) {
  ucontext_t& context = *static_cast<ucontext_t*>(data);
  std::uintptr_t carried = reinterpret_cast<std::uintptr_t>(info->si_value.sival_ptr);
  std::uint32_t request = static_cast<std::uint32_t>(carried >> 32);
  StopSlot* slot = slot_of(static_cast<std::uint32_t>(carried));
  bool is_ours = info->si_code == SI_QUEUE && info->si_pid == static_cast<pid_t>(raw_syscall(SYS_getpid));
  if (is_ours && slot != nullptr && accept(*slot, request)) {
    end_steps(context);
    continue_interrupted_call(context, slot->before, slot->continued);
    stay(*slot, in_phase(request, Phase::stopped), context);
  } else {
    BlockedCall none;
    continue_interrupted_call(context, none, none);
  }
}

/// sigfillset leaves out glibc's two own signals. The one that cancels threads must wait: otherwise a stopped thread
/// would be unwound from inside the handler. The other, by which setuid reaches every thread, must come through.
constexpr int cancellation = 32;
void add_cancellation(sigset_t& mask) noexcept {
  std::uint64_t bits;
  std::memcpy(&bits, &mask, sizeof bits);
  bits |= std::uint64_t{1} << (cancellation - 1);
  std::memcpy(&mask, &bits, sizeof bits);
}

bool install_handler(int signal, void (*act)(int, siginfo_t*, void*), const sigset_t& open) noexcept {
  struct sigaction handler {};
  handler.sa_sigaction = act;
  // Uses the thread's alternate stack if it has one: its own may be nearly used up.
  handler.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  ::sigfillset(&handler.sa_mask);
  add_cancellation(handler.sa_mask);
  for (int other = 1; other <= SIGRTMAX; ++other)
    if (sigismember(&open, other) == 1) ::sigdelset(&handler.sa_mask, other);
  return ::sigaction(signal, &handler, nullptr) == 0;
}

constinit std::atomic<int> claimed{0};

/// Calls what the handler calls from other libraries. Otherwise the loader would bind it inside the handler, which
/// takes 3 KB of the stack with AVX-512.
void bind_calls_of_handler() noexcept { [[maybe_unused]] volatile const int count = std::uncaught_exceptions(); }

int claim_signal() {
  bind_calls_of_handler();
  sigset_t none;
  ::sigemptyset(&none);
  for (int signal = SIGRTMAX; signal > SIGRTMIN; --signal) {
    struct sigaction current {};
    if (::sigaction(signal, nullptr, &current) != 0)
      throw Error(ErrorCode::system, std::string("the handler of the signal that stops threads cannot be installed: ") +
                                         std::strerror(errno) +
                                         "; a filter of system calls (seccomp) must permit rt_sigaction");
    if ((current.sa_flags & SA_SIGINFO) != 0 || current.sa_handler != SIG_DFL) continue;
    if (!install_handler(signal, on_stop_signal, none)) continue;
    claimed = signal;
    return signal;
  }
  throw Error(ErrorCode::system, "no real-time signal is free to stop threads with; leave one without a handler");
}

}  // namespace

int stop_signal() {
  static const int signal = claim_signal();
  return signal;
}

int claimed_stop_signal() noexcept { return claimed.load(); }

bool is_deaf(const TaskStatus& task) { return task.blocks(stop_signal()) && !task.blocks(cancellation); }

bool leave_open(const sigset_t& open) noexcept {
  struct sigaction current {};
  if (::sigaction(stop_signal(), nullptr, &current) != 0) return false;
  const bool is_ours = (current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == on_stop_signal;
  // A program that resets all handlers, as daemons do, has no use for the signal.
  const bool is_reset =
      (current.sa_flags & SA_SIGINFO) == 0 && (current.sa_handler == SIG_DFL || current.sa_handler == SIG_IGN);
  return (is_ours || is_reset) && install_handler(stop_signal(), on_stop_signal, open);
}

bool install_stop_handler(int signal, void (*handler)(int, siginfo_t*, void*)) noexcept {
  sigset_t none;
  ::sigemptyset(&none);
  return install_handler(signal, handler, none);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) void arrive(StopSlot& slot, std::uint32_t request,
                                                                           ucontext_t& context) noexcept {
  if (accept(slot, request)) stay(slot, in_phase(request, Phase::stopped), context);
}

StopSlot& stop_slot(std::uint32_t index) {
  std::uint32_t number = index / slots_a_chunk;
  if (number >= most_chunks) throw std::bad_alloc();
  StopSlot* chunk = rendezvous.chunks[number].load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new StopSlot[slots_a_chunk];
    for (std::uint32_t i = 0; i < slots_a_chunk; ++i) chunk[i].index = number * slots_a_chunk + i;
    rendezvous.chunks[number].store(chunk, std::memory_order_release);
  }
  return chunk[index % slots_a_chunk];
}

namespace {

/// Sends a signal that carries `carried`. Returns the kernel's answer.
long queue_signal(pid_t task, int signal, void* carried) noexcept {
  siginfo_t info;
  std::memset(&info, 0, sizeof info);
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_value.sival_ptr = carried;
  return raw_syscall(SYS_rt_tgsigqueueinfo, info.si_pid, task, signal, as_argument(&info));
}

/// Sends the signal that carries the request `word`. Returns the kernel's answer.
long send_request(const StopSlot& slot, std::uint32_t word) noexcept {
  return queue_signal(slot.task, stop_signal(), signal_value(slot.index, word));
}

}  // namespace

Asked ask_to_stop(StopSlot& slot) noexcept {
  std::uint32_t word = in_phase(slot.word.load(std::memory_order_relaxed) + one_use, Phase::asked);
  slot.context = nullptr;
  slot.word.store(word, std::memory_order_release);
  long result = send_request(slot, word);
  if (result == 0) return Asked::sent;
  slot.word.store(in_phase(word, Phase::vacant), std::memory_order_release);
  if (result == -ESRCH) return Asked::gone;
  return result == -EAGAIN ? Asked::full : Asked::forbidden;
}

void rehearse_request() noexcept {
  constexpr int none = 0;  // the kernel checks everything and sends nothing
  queue_signal(own_task(), none, nullptr);
}

void stop_stepped(StopSlot& slot) noexcept {
  std::uint32_t word = slot.word.load(std::memory_order_acquire);
  if ((word & phase_mask) == Phase::stepping) send_request(slot, word);
}

bool is_stopped(const StopSlot& slot) noexcept {
  // Arriving takes a few instructions unless the thread was preempted there. Sleeping lets it run even if this thread
  // has a real-time priority.
  for (int spin = 0; (slot.word.load(std::memory_order_acquire) & phase_mask) == Phase::arriving; ++spin) {
    timespec moment{0, 20'000};
    if (spin > 100) raw_syscall(SYS_nanosleep, as_argument(&moment));
  }
  return (slot.word.load(std::memory_order_acquire) & phase_mask) == Phase::stopped;
}

bool is_wait_for_release(const BlockedCall& call) noexcept {
  return call.number == SYS_futex && call.arguments[0] == reinterpret_cast<std::uint64_t>(&rendezvous.releases);
}

bool withdraw(StopSlot& slot) noexcept {
  std::uint32_t word = slot.word.load(std::memory_order_acquire);
  std::uint32_t phase = word & phase_mask;
  if ((phase == Phase::asked || phase == Phase::stepping) &&
      slot.word.compare_exchange_strong(word, in_phase(word, Phase::vacant), std::memory_order_acq_rel))
    return true;
  return !is_stopped(slot);
}

void Release::add(StopSlot& slot) noexcept {
  // A thread counts itself as arrived just before it writes `stopped`. If it did so after `vacant`, it would sleep for
  // ever.
  is_stopped(slot);
  release(slot, in_phase(slot.word.load(std::memory_order_relaxed), Phase::vacant));
}

void Release::step_out(StopSlot& slot, const Destination& destination) noexcept {
  slot.destination = destination;
  release(slot, in_phase(slot.word.load(std::memory_order_relaxed) + one_use, Phase::stepping));
}

void Release::release(StopSlot& slot, std::uint32_t word) noexcept {
  slot.has_left.store(false);
  slot.word.store(word);
  bits_ |= bit_of(slot);
}

Release::~Release() {
  if (bits_ == 0) return;
  rendezvous.releases.fetch_add(1);
  futex_wake_all(rendezvous.releases, bits_);
}

void reset_arrivals() noexcept {
  rendezvous.wanted.store(0);
  rendezvous.arrived.store(0);
}

std::uint32_t arrivals() noexcept { return rendezvous.arrived.load(); }

bool await_arrivals(std::uint32_t wanted, std::chrono::nanoseconds timeout) noexcept {
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::now() + timeout;
  rendezvous.wanted.store(wanted);
  // A few threads on idle processors arrive sooner than a sleeping thread would wake up.
  constexpr std::chrono::microseconds worth_spinning{30};
  std::chrono::steady_clock::time_point spin_until = std::chrono::steady_clock::now() + worth_spinning;
  while (rendezvous.arrived.load() < wanted && std::chrono::steady_clock::now() < spin_until) _mm_pause();
  for (;;) {
    std::uint32_t arrived = rendezvous.arrived.load();
    if (arrived >= wanted) return true;
    std::chrono::nanoseconds left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) return false;
    futex_wait_for(rendezvous.arrived, arrived, left);
  }
}

namespace {

constexpr greg_t trap_flag = 0x100;

struct SteppedThread {
  StopSlot* slot;  ///< null: this thread is not being stepped
  std::uint32_t request;
  std::uint32_t steps;
};
[[gnu::tls_model("initial-exec")]] thread_local constinit SteppedThread stepped_thread{nullptr, 0, 0};

/// Calls after which a trap might be blocked, or might hit another thread or process than stepped_thread.
constexpr std::array<std::uint64_t, 8> not_under_trap = {
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigaction, SYS_clone, SYS_clone3, SYS_fork, SYS_vfork, SYS_execve};

__attribute__((no_sanitize("address", "thread", "undefined"))) bool is_before_forbidden_call(
    const ucontext_t& context) noexcept {
  const greg_t* registers = context.uc_mcontext.gregs;
  const std::uint8_t* next = reinterpret_cast<const std::uint8_t*>(registers[REG_RIP]);
  if (next[0] != syscall_opcode[0] || next[1] != syscall_opcode[1]) return false;
  std::uint64_t number = static_cast<std::uint64_t>(registers[REG_RAX]);
  for (std::uint64_t forbidden : not_under_trap)
    if (number == forbidden) return true;
  return false;
}

__attribute__((no_sanitize("address", "thread", "undefined"))) bool has_arrived(const ucontext_t& context,
                                                                                const Destination& where) noexcept {
  const greg_t* registers = context.uc_mcontext.gregs;
  return static_cast<std::uint64_t>(registers[REG_RIP]) == where.pc &&
         static_cast<std::uint64_t>(registers[REG_RSP]) >= where.stack_pointer;
}

/// A trap that is not moult's, such as the program's own int3: does what would have happened without the handler.
__attribute__((no_sanitize("address", "thread", "undefined"))) void raise_by_default() noexcept {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGTRAP, &by_default, nullptr);
  raw_syscall(SYS_tgkill, raw_syscall(SYS_getpid), raw_syscall(SYS_gettid), SIGTRAP);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) void on_trap(int, siginfo_t* info, void* data) {
  ucontext_t& context = *static_cast<ucontext_t*>(data);
  if (info->si_code != TRAP_TRACE) return raise_by_default();
  StopSlot* slot = stepped_thread.slot;
  if (slot == nullptr || slot->word.load() != stepped_thread.request) return end_steps(context);  // withdrawn
  if (!has_arrived(context, slot->destination) && !is_before_forbidden_call(context) &&
      ++stepped_thread.steps < most_steps)
    return;
  end_steps(context);
  arrive(*slot, stepped_thread.request, context);
}

}  // namespace

bool claim_traps() noexcept {
  struct sigaction current {};
  if (::sigaction(SIGTRAP, nullptr, &current) != 0 || task_status(own_task()).is_debugged) return false;
  if ((current.sa_flags & SA_SIGINFO) != 0) return current.sa_sigaction == on_trap;
  return current.sa_handler == SIG_DFL && install_stop_handler(SIGTRAP, on_trap);
}

bool can_be_stepped(const StopSlot& slot) noexcept {
  return sigismember(&slot.context->uc_sigmask, SIGTRAP) == 0 && !is_before_forbidden_call(*slot.context);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) void begin_steps(StopSlot& slot, std::uint32_t request,
                                                                                ucontext_t& context) noexcept {
  stepped_thread = {&slot, request, 0};
  context.uc_mcontext.gregs[REG_EFL] |= trap_flag;
}

__attribute__((no_sanitize("address", "thread", "undefined"))) void end_steps(ucontext_t& context) noexcept {
  context.uc_mcontext.gregs[REG_EFL] &= ~trap_flag;
  stepped_thread.slot = nullptr;
}

}  // namespace moult::internal
