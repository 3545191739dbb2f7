// Problem: a signal's handler runs on the thread's alternate stack where there is one. The kernel puts all registers
// there first, with AVX-512 more than 3 KB of them. A thread with an alternate stack of MINSIGSTKSZ bytes (2 KB) is
// ended by SIGSEGV at its first signal. And no thread can learn of another one's alternate stack.
//
// Approach: libmoult.so defines `sigaltstack` in place of the C library's, makes the same system call, and notes the
// threads whose alternate stack is too small. A stop names such a thread and sends it no signal.
//
// The other ways are worse. On the thread's own stack the handler would overwrite what lies beside it, wherever a
// language runtime or coroutines use small stacks and rely on the alternate one.
//
// Threads: the table is read by the stopping thread, and written by any thread, without a lock. A thread that takes a
// small stack could have been sent a signal a moment ago. So it blocks all signals, notes itself, waits for the end of
// a sending in progress, discards a pending stop signal, and takes the stack only then. The stop that sent the signal
// asks the thread again later, and finds the note.
//
// Limits: 128 such threads; with more, no thread is stopped. A thread that makes the system call directly is not
// noticed.
#include "platform/alternate_stack.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <new>

#include "platform/fork_handlers.hpp"
#include "platform/stop_signal.hpp"
#include "platform/tasks.hpp"
#include "platform/x86_64/syscall.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t most_small_stacks = 128;

/// What moult's handler takes of the stack beside the kernel's frame: less than half of this. A sanitizer's checks make
/// its frames larger.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t handler_size = 4096;
#else
constexpr std::size_t handler_size = 1024;
#endif

struct SmallStacks {
  std::array<std::atomic<pid_t>, most_small_stacks> tasks{};
  std::atomic<std::uint32_t> count{0};  ///< at least the number of tasks: most programs have none to look for
  std::atomic<bool> is_full{false};
  std::atomic<std::uint32_t> sendings{0};  ///< odd: one is in progress
};
constinit SmallStacks small_stacks;

[[gnu::tls_model("initial-exec")]] thread_local constinit bool this_thread_is_noted = false;

void forget(pid_t task) noexcept {
  for (std::atomic<pid_t>& each : small_stacks.tasks)
    if (each.load() == task) {
      each.store(0);
      small_stacks.count.fetch_sub(1);
    }
  this_thread_is_noted = false;
}

void enter(pid_t task) noexcept {
  this_thread_is_noted = true;
  small_stacks.count.fetch_add(1);
  for (std::atomic<pid_t>& each : small_stacks.tasks) {
    pid_t nobody = 0;
    if (each.compare_exchange_strong(nobody, task)) return;
  }
  small_stacks.count.fetch_sub(1);
  small_stacks.is_full = true;
}

/// The forking thread has its alternate stack in the child too, under another id. The others are not there.
void keep_own_in_child() noexcept {
  for (std::atomic<pid_t>& each : small_stacks.tasks) each.store(0);
  small_stacks.count = 0;
  small_stacks.is_full = false;
  small_stacks.sendings = 0;
  if (this_thread_is_noted) enter(own_task());
}

/// So that another thread with the same id is not taken for this one.
void forget_when_this_thread_ends() noexcept {
  struct Key {
    Key() noexcept {
      is_made = ::pthread_key_create(&key, [](void*) { forget(own_task()); }) == 0;
    }
    pthread_key_t key{};
    bool is_made = false;
  };
  static const Key ending;
  if (ending.is_made) ::pthread_setspecific(ending.key, &small_stacks);
}

void be_ready_for_fork() noexcept {
  try {
    register_fork_handlers(ForkPlace::alternate_stacks, {.in_child = keep_own_in_child});
  } catch (const std::bad_alloc&) {  // a child's forking thread is not noted
  }
}

void await_end_of_sending() noexcept {
  const std::uint32_t before = small_stacks.sendings.load();
  while (before % 2 == 1 && small_stacks.sendings.load() == before) ::sched_yield();
}

/// All signals are blocked.
void discard_stop_signal() noexcept {
  const int signal = claimed_stop_signal();
  if (signal == 0) return;
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, signal);
  const timespec at_once{};
  while (::sigtimedwait(&stop, nullptr, &at_once) > 0) continue;
}

void note_this_thread() noexcept {
  be_ready_for_fork();
  forget_when_this_thread_ends();
  enter(own_task());
  await_end_of_sending();
  discard_stop_signal();
}

int change_alternate_stack(const stack_t* wanted, stack_t* former) noexcept {
  const bool is_small =
      wanted != nullptr && (wanted->ss_flags & SS_DISABLE) == 0 && wanted->ss_size < least_alternate_stack();
  const bool was_small = this_thread_is_noted;
  if (is_small && !was_small) note_this_thread();
  const long result = raw_syscall(SYS_sigaltstack, as_argument(wanted), as_argument(former));
  const bool is_noted = result == 0 && wanted != nullptr ? is_small : was_small;
  if (!is_noted && this_thread_is_noted) forget(own_task());
  return static_cast<int>(result);
}

}  // namespace

std::size_t least_alternate_stack() noexcept {
  return std::max<std::size_t>(::getauxval(AT_MINSIGSTKSZ), 2048) + handler_size;
}

SendingStopSignal::SendingStopSignal() noexcept { small_stacks.sendings.fetch_add(1); }

SendingStopSignal::~SendingStopSignal() { small_stacks.sendings.fetch_add(1); }

bool SendingStopSignal::is_too_much_for(pid_t task) const noexcept {
  const auto is_it = [task](const std::atomic<pid_t>& each) { return each.load() == task; };
  if (small_stacks.is_full.load()) return true;
  return small_stacks.count.load() > 0 && std::any_of(small_stacks.tasks.begin(), small_stacks.tasks.end(), is_it);
}

}  // namespace moult::internal

#ifndef __SANITIZE_THREAD__
/// In place of the C library's. The thread sanitizer has a function of its own, and calls it before anything can run.
extern "C" [[gnu::visibility("default")]] int sigaltstack(const stack_t* wanted, stack_t* former) noexcept {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const int result = moult::internal::change_alternate_stack(wanted, former);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (result == 0) return 0;
  errno = -result;
  return -1;
}
#endif
