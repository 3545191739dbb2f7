// Stops every thread of the process at a safepoint.
//
// A stop is a series of attempts until the deadline. One attempt asks every thread, waits until all have arrived, looks
// again for threads that were created meanwhile, and judges where each one is stopped (safepoint.hpp). Threads outside
// of a safepoint are released for a moment and asked again while the others stay stopped. A lock of libc is only ever
// held by threads inside libc, so they get out. But they may need something that a stopped thread holds: a library's
// constructor waits for the program's own mutex, say. So an attempt has a time limit. After it all threads run, and a
// later attempt starts again.
//
// From the first signal until the verdict nothing here may allocate, take a lock of libc or enter the loader, because a
// stopped thread may hold that lock. All memory is reserved before; `room` says for how many threads.
//
// Some threads wait for memory that is filled in a stop (MemoryFilledInStop). They may do so where no thread may be
// stopped, with a stream of stdio locked. Any other stop would have to wait for them. So, between two attempts, it
// gives way to the stop that they wait for. That stop leaves them where they are. A thread that was blocked at an
// instruction before it was asked, and is at the same one now, is still about to access that memory and has changed
// nothing since.
//
// moult's own service threads, which other threads may wait for, stay awake. They are only asked to begin nothing
// (service_threads.hpp).
//
// The stopping thread blocks the signals that the program may handle. Otherwise a handler could wait for a stopped
// thread.
//
// This file is long because all of it works on the state of one attempt (StoppedWorld::Impl). Which threads to ask, how
// a thread stops, where it may stop and the stop blocker are in files of their own.
#include "threads/stopped_world.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "elf/module_list.hpp"
#include "moult/error.hpp"
#include "platform/alternate_stack.hpp"
#include "platform/signal_mask.hpp"
#include "platform/stop_signal.hpp"
#include "platform/tasks.hpp"
#include "platform/x86_64/interrupted_call.hpp"
#include "threads/dynamic_symbols.hpp"
#include "threads/safepoint.hpp"
#include "threads/service_threads.hpp"
#include "threads/stop_blocker.hpp"
#include "threads/stop_mutex.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// Used by the holder of the stop mutex.
RowCache& row_cache() {
  static auto* const made = new RowCache;
  return *made;
}

struct Stopped {
  StopSlot* slot = nullptr;
  bool is_safe = false;
  bool is_asked = false;         ///< false: the signal could not be sent, and the attempt will fail
  bool is_stepping_out = false;  ///< on its way to a safepoint, where it stops without a signal
  std::uint64_t ran_before = 0;  ///< nanoseconds on a processor when it was asked, if it waits for memory
};

/// Brings a blocked thread's stack into the processor's caches: the part that the handler will write to, and the inner
/// frames, which walks will read. A prefetch never faults, so the thread may have ended since.
void prefetch_stack(const BlockedCall& call) noexcept {
  constexpr std::uint64_t line = 64;
  constexpr std::uint64_t inner_frames = 1536;
  if (call.stack_pointer == 0) return;
  const std::uint64_t end = call.stack_pointer + inner_frames;
  for (std::uint64_t at = call.stack_pointer - least_alternate_stack(); at < end; at += line)
    __builtin_prefetch(reinterpret_cast<const void*>(at));
}

void sleep_for(std::chrono::nanoseconds time) noexcept {
  timespec left{0, time.count()};
  ::nanosleep(&left, nullptr);
}

}  // namespace

class StoppedWorld::Impl final {
 public:
  Impl(const StopOptions& options, Clock::time_point deadline)
      : keep_out_(options.keep_out.begin(), options.keep_out.end()),
        memory_(options.memory),
        self_(own_task()),
        stop_mutex_(deadline) {
    internal::stop_signal();
  }
  ~Impl() { release(); }

  bool attempt(Clock::time_point limit);
  bool give_way(Clock::time_point deadline);
  void release() noexcept;
  const StopBlocker& blocker() const noexcept { return blocker_; }

  Clock::time_point began() const noexcept { return began_; }
  std::span<const ThreadId> threads() const noexcept { return ids_; }
  template <class Visit>
  void walk(ThreadId thread, Visit&& visit);
  void visit_words(ThreadId thread, const std::function<void(std::span<const std::uint64_t>)>& visit) const;
  ucontext_t* context(ThreadId thread) const noexcept;

 private:
  void reserve();
  void rehearse() noexcept;
  bool gather(bool is_first);
  bool ask(Stopped& thread) noexcept;
  void look_before(Stopped& thread) const noexcept;
  bool waits_at_instruction(const Stopped& thread) const noexcept;
  bool waits_in_call(const Stopped& thread) const noexcept;
  void map_memory() noexcept;
  bool is_over(Clock::time_point limit) const noexcept;
  bool await_all(Clock::time_point limit);
  std::size_t drop_unstoppable() noexcept;
  bool settle(Clock::time_point limit);
  std::size_t judge_all();
  void let_unsafe_go(bool steps_out, Clock::time_point limit) noexcept;
  void publish_ids();

  std::vector<CodeRange> keep_out_;
  MemoryFilledInStop* memory_;
  pid_t self_;
  TaskList task_list_;
  std::optional<OrdinarySignalsBlocked> handlers_;
  std::shared_ptr<const Safepoints> safepoints_;
  std::uint64_t generation_ = 0;
  RowCache& rows_ = row_cache();
  std::vector<pid_t> tasks_;
  std::vector<pid_t> ignored_;  ///< service threads; kernel workers and dead threads, which never run its code
  std::vector<Stopped> stopped_;
  std::size_t next_slot_ = 0;
  std::vector<ThreadId> ids_;
  Clock::time_point began_{};
  Clock::time_point attempted_{};
  int attempts_ = 0;
  StopBlocker blocker_;
  bool is_at_rest_ = false;  ///< the service threads begin nothing
  StopMutex stop_mutex_;     ///< last: released before signal handlers run again
};

/// Everything that allocates, before the first thread is asked.
void StoppedWorld::Impl::reserve() {
  MOULT_FAULT("threads.stop.reserve");
  constexpr std::size_t spare = 64;
  generation_ = internal::module_generation();
  safepoints_ = Safepoints::current();
  rows_.keep_for(generation_);
  std::size_t room = task_list_.count() * 5 / 4 + spare;
  tasks_.reserve(room);
  ignored_.reserve(room);
  stopped_.reserve(room);
  ids_.reserve(room + 1);
  stopped_.clear();
  ignored_.clear();
  add_service_tasks(self_, ignored_);
  next_slot_ = 0;
  for (std::uint32_t index = 0; index < room; ++index) stop_slot(index);
}

/// Does to this thread what the stop does to the others, for no result. Updates are prepared by reading megabytes of
/// symbols. After that the code, the tables and the stacks that a stop needs are not in the processor's caches. Fetched
/// while the program still runs, they shorten the pause of an update by a tenth: 73 to 63 us with one thread, 1060 to
/// 990 us with 64.
void StoppedWorld::Impl::rehearse() noexcept {
  ucontext_t context{};
  const Registers registers = current_registers();
  for (std::size_t number = 0; number < register_count; ++number)
    set_register(context, static_cast<Register>(number), registers[number]);
  StopSlot own;
  own.context = &context;
  for (const Stopped& thread : stopped_) prefetch_stack(thread.slot->before);
  rows_.prefetch();
  safepoints_->judge(own, rows_, keep_out_);
  safepoints_->static_in_initialisation();
  rehearse_request();
}

/// Finds and asks the threads that are not known yet. False if there is no room for all of them, or no list.
bool StoppedWorld::Impl::gather(bool is_first) {
  const TaskList::Listing listing = task_list_.read(tasks_);
  if (listing == TaskList::Listing::unreadable)
    blocker_.blame_something(
        "the list of the threads (/proc/self/task) cannot be read; a filter of system calls (seccomp) must permit "
        "getdents64");
  if (listing != TaskList::Listing::complete) return false;
  std::size_t known = stopped_.size();
  for (pid_t task : tasks_) {
    bool is_known = task == self_ || std::find(ignored_.begin(), ignored_.end(), task) != ignored_.end() ||
                    (!is_first && std::any_of(stopped_.begin(), stopped_.begin() + static_cast<std::ptrdiff_t>(known),
                                              [task](const Stopped& thread) { return thread.slot->task == task; }));
    if (is_known) continue;
    if (next_slot_ >= stopped_.capacity()) return false;
    StopSlot& slot = stop_slot(static_cast<std::uint32_t>(next_slot_++));
    if (slot.task != task) slot.continued = {};
    slot.task = task;
    slot.before = blocked_call(task);
    stopped_.push_back({.slot = &slot});
  }
  if (is_first) {
    rehearse();
    began_ = Clock::now();
    reset_arrivals();
  }
  std::erase_if(stopped_,
                [this](Stopped& thread) { return !thread.is_safe && !thread.is_stepping_out && !ask(thread); });
  return true;
}

/// Notes where a thread is before it is asked, if that will matter.
void StoppedWorld::Impl::look_before(Stopped& thread) const noexcept {
  if (memory_ == nullptr || !memory_->is_awaited_by(thread.slot->task)) return;
  thread.slot->before = blocked_call(thread.slot->task);
  thread.ran_before = time_run(thread.slot->task);
}

/// The thread has been where it is since before it was asked, at an instruction and not in a system call.
bool StoppedWorld::Impl::waits_at_instruction(const Stopped& thread) const noexcept {
  const StopSlot& slot = *thread.slot;
  if (memory_ == nullptr || slot.before.number >= 0 || !memory_->is_awaited_by(slot.task)) return false;
  const Registers registers = registers_of(*slot.context);
  return slot.before.program_counter == registers[rip] && slot.before.stack_pointer == registers[rsp];
}

/// The thread was blocked in a system call when it was asked, or has run since then without taking the signal.
bool StoppedWorld::Impl::waits_in_call(const Stopped& thread) const noexcept {
  constexpr std::uint64_t long_for_a_signal = 5'000'000;  // ns
  const StopSlot& slot = *thread.slot;
  if (!thread.is_asked || !memory_->is_awaited_by(slot.task)) return false;
  return slot.before.number >= 0 || time_run(slot.task) > thread.ran_before + long_for_a_signal;
}

/// If all other threads are stopped, threads in a system call get to see the memory, so that the call returns.
void StoppedWorld::Impl::map_memory() noexcept {
  if (memory_ == nullptr || task_list_.count() != stopped_.size() + ignored_.size() + 1) return;
  const auto is_away = [](const Stopped& thread) { return !thread.is_safe && !is_stopped(*thread.slot); };
  const auto may_be_shown = [&](const Stopped& thread) { return !is_away(thread) || waits_in_call(thread); };
  if (!std::all_of(stopped_.begin(), stopped_.end(), may_be_shown)) return;
  for (const Stopped& thread : stopped_)
    if (is_away(thread)) memory_->map_for(thread.slot->task);
}

/// False if the thread is gone.
bool StoppedWorld::Impl::ask(Stopped& thread) noexcept {
  if (awaits_signal(thread.slot->before, internal::stop_signal())) {
    blocker_.blame(thread.slot->task, "waits in sigwait for the signal that stops threads; take it out of that set");
    return true;
  }
  look_before(thread);
  const SendingStopSignal sending;
  if (sending.is_too_much_for(thread.slot->task)) {
    blocker_.blame(thread.slot->task,
                   "has an alternate signal stack that is too small for any signal on this processor; give it "
                   "sysconf(_SC_SIGSTKSZ) bytes");
    return true;
  }
  const Asked asked = ask_to_stop(*thread.slot);
  if (asked == Asked::full) blocker_.blame(thread.slot->task, "could not be sent a signal: too many are queued");
  if (asked == Asked::forbidden)
    blocker_.blame(thread.slot->task,
                   "could not be sent a signal; a filter of system calls (seccomp) must permit rt_tgsigqueueinfo");
  thread.is_asked = asked == Asked::sent;
  return asked != Asked::gone;
}

/// Whether an unfinished attempt must end: its time is over, or threads that block it wait for another stop.
bool StoppedWorld::Impl::is_over(Clock::time_point limit) const noexcept {
  constexpr int fair_share = 16;  // limits grow from attempt to attempt
  const Clock::time_point now = Clock::now();
  if (now >= limit) return true;
  return memory_ == nullptr && is_urgent_stop_wanted() && now >= attempted_ + (limit - attempted_) / fair_share;
}

/// Waits until every thread that was asked has stopped or never will.
bool StoppedWorld::Impl::await_all(Clock::time_point limit) {
  constexpr milliseconds patience{1};
  constexpr milliseconds for_stepping{20};
  Clock::time_point stepping_until = Clock::now() + for_stepping;
  auto waited_for = [this] {
    return static_cast<std::uint32_t>(
        std::count_if(stopped_.begin(), stopped_.end(), [](const Stopped& thread) { return !thread.is_safe; }));
  };
  for (;;) {
    Clock::time_point now = Clock::now();
    Clock::duration left = std::min<Clock::duration>(patience, limit - now);
    std::uint32_t before = arrivals();
    if (await_arrivals(waited_for(), left)) return true;
    if (Clock::now() >= stepping_until) {
      // On a busy machine a stepped thread may just not have had a processor. One that runs will arrive.
      for (Stopped& thread : stopped_)
        if (thread.is_stepping_out && !thread.is_safe && !task_status(thread.slot->task).is_runnable)
          stop_stepped(*thread.slot);
      stepping_until = Clock::now() + for_stepping;
    }
    bool is_progress = arrivals() != before;
    if (!is_progress) map_memory();
    if (!is_progress && drop_unstoppable() == 0 && is_over(limit)) return false;
  }
}

/// Looks at the threads that have not answered. Drops those that never will and returns their number.
std::size_t StoppedWorld::Impl::drop_unstoppable() noexcept {
  constexpr int most_looks = 32;  // a look at /proc costs as much as stopping a thread
  int looks = 0;
  return std::erase_if(stopped_, [&](const Stopped& thread) {
    if (!thread.is_asked || is_stopped(*thread.slot) || looks >= most_looks) return false;
    ++looks;
    pid_t task = thread.slot->task;
    TaskStatus status = task_status(task);
    if (status.exists && !status.is_dead && !status.is_kernel_worker) {
      // A thread that arrived meanwhile was seen asleep in its stop, which is no reason to blame it.
      if (is_stopped(*thread.slot)) return false;
      if (is_deaf(status))
        blocker_.blame(task, "blocks the signal that stops threads");
      else if (status.is_traced)
        blocker_.blame(task, "is held by a debugger or by job control");
      else if (status.is_runnable)
        blocker_.blame_late(task);
      else
        blocker_.blame(task, "does not answer; it may be in a system call that cannot be interrupted");
      return false;
    }
    if (!withdraw(*thread.slot)) return false;
    if (status.exists) ignored_.push_back(task);
    return true;
  });
}

std::size_t StoppedWorld::Impl::judge_all() {
  const bool is_memory_awaited = std::any_of(stopped_.begin(), stopped_.end(),
                                             [this](const Stopped& thread) { return waits_at_instruction(thread); });
  const auto waiting_of = [&](const Stopped& thread) {
    if (waits_at_instruction(thread)) return Waiting::for_memory;
    const bool may_need_lock = is_memory_awaited && thread.slot->at_syscall && is_futex_call(*thread.slot->context);
    return may_need_lock ? Waiting::for_lock : Waiting::no;
  };
  std::size_t unsafe_count = 0;
  for (Stopped& thread : stopped_) {
    if (thread.is_safe) continue;
    std::optional<UnsafeStop> unsafe = safepoints_->judge(*thread.slot, rows_, keep_out_, waiting_of(thread));
    thread.is_safe = !unsafe;
    if (!unsafe) continue;
    ++unsafe_count;
    blocker_.blame(*thread.slot, *unsafe, rows_);
  }
  return unsafe_count;
}

/// Releases the threads outside of safepoints and returns when all of them have left. On a busy machine that takes a
/// while, and a thread that is asked earlier would stop where it was.
void StoppedWorld::Impl::let_unsafe_go(bool steps_out, Clock::time_point limit) noexcept {
  constexpr microseconds glance{20};
  if (memory_ != nullptr) memory_->unmap();
  {
    Release release;
    for (Stopped& thread : stopped_) {
      if (thread.is_safe) continue;
      std::optional<Destination> out;
      if (steps_out && can_be_stepped(*thread.slot)) out = safepoints_->way_out(*thread.slot, rows_);
      thread.is_stepping_out = out.has_value();
      out ? release.step_out(*thread.slot, *out) : release.add(*thread.slot);
    }
  }
  auto has_left = [](const Stopped& thread) { return thread.is_safe || thread.slot->has_left.load(); };
  while (!std::all_of(stopped_.begin(), stopped_.end(), has_left) && Clock::now() < limit) sleep_for(glance);
}

/// Releases threads outside of safepoints and stops them again until all are at safepoints. Most threads are found at
/// one when they are asked again after a moment. The others are stepped out, or asked many times if that is not
/// possible.
bool StoppedWorld::Impl::settle(Clock::time_point limit) {
  constexpr int rounds_of_chance = 3;
  constexpr int short_rounds = 50;
  constexpr microseconds short_moment{100};
  constexpr microseconds long_moment{1000};  // many such threads on few cores each need time to progress at all
  microseconds moment{5};
  int rounds = 0;
  std::optional<bool> can_step;
  for (;;) {
    if (!await_all(limit)) return false;
    reset_arrivals();
    if (judge_all() > 0) {
      if (is_over(limit)) return false;
      if (++rounds > rounds_of_chance && !can_step) can_step = claim_traps();
      // Threads that were stepped out without success also get another chance.
      let_unsafe_go(can_step.value_or(false) && rounds % 2 == 0, limit);
      sleep_for(moment);
      moment = std::min(moment * 2, rounds < short_rounds ? short_moment : long_moment);
    } else if (task_list_.count() == stopped_.size() + ignored_.size() + 1) {
      return true;
    }
    if (is_over(limit) || !gather(false)) return false;
  }
}

/// Gives way to stops that fill memory. False if the stop mutex could not be taken again in time.
bool StoppedWorld::Impl::give_way(Clock::time_point deadline) {
  return memory_ != nullptr || stop_mutex_.give_way(deadline);
}

bool StoppedWorld::Impl::attempt(Clock::time_point limit) {
  attempted_ = Clock::now();
  ++attempts_;
  reserve();
  sigset_t ignored = ignored_signals();
  const bool has_signal = leave_open(ignored);
  handlers_.emplace(ignored);
  const StopBlocker former = std::exchange(blocker_, {});
  if (!has_signal) {
    blocker_.blame_something(
        "the program has given a handler of its own to the real-time signal that stops threads; "
        "it must install it before it makes a Listener or a manager, so that moult takes another");
  } else if (gather(true) && settle(limit)) {
    // From here on the loader may be called: no thread is inside it.
    blocker_ = {};
    is_at_rest_ = await_rest(self_, limit);
    if (!is_at_rest_) {
      blocker_.blame_something("an object is being converted at its first use, which has not come to an end");
    } else if (internal::module_generation() != generation_) {
      blocker_.blame_something("libraries were being loaded or unloaded all the time");
    } else {
      // The initialising thread may be the one that waits for memory.
      const bool tolerates_statics = memory_ != nullptr && attempts_ > 2;
      blocker_.blame_guard(tolerates_statics ? nullptr : safepoints_->static_in_initialisation());
      if (!blocker_.is_known()) return publish_ids(), true;
    }
  }
  release();
  handlers_.reset();
  // On a busy machine an attempt may end before it has seen anything. Then the reason of the attempt before stays.
  if (!blocker_.is_known() || (blocker_.is_only_late() && former.is_known())) blocker_ = former;
  return false;
}

void StoppedWorld::Impl::publish_ids() {
  ids_.clear();
  for (const Stopped& thread : stopped_) ids_.push_back(ThreadId{thread.slot->task});
  ids_.push_back(ThreadId{self_});
}

void StoppedWorld::Impl::release() noexcept {
  if (memory_ != nullptr && !stopped_.empty()) memory_->unmap();
  if (std::exchange(is_at_rest_, false)) end_rest();
  Release release;
  for (const Stopped& thread : stopped_)
    if (!withdraw(*thread.slot)) release.add(*thread.slot);
  stopped_.clear();
}

template <class Visit>
void StoppedWorld::Impl::walk(ThreadId thread, Visit&& visit) {
  if (static_cast<pid_t>(thread) == self_) {
    walk_stack(rows_, current_registers(), visit);
    return;
  }
  for (const Stopped& stopped : stopped_) {
    if (stopped.slot->task != static_cast<pid_t>(thread)) continue;
    walk_stack(rows_, registers_of(*stopped.slot->context), visit);
    return;
  }
}

void StoppedWorld::Impl::visit_words(ThreadId thread,
                                     const std::function<void(std::span<const std::uint64_t>)>& visit) const {
  for (const Stopped& stopped : stopped_) {
    if (stopped.slot->task != static_cast<pid_t>(thread)) continue;
    visit(vector_words_of(*stopped.slot->context));
    return internal::visit_words(rows_, registers_of(*stopped.slot->context), visit);
  }
}

ucontext_t* StoppedWorld::Impl::context(ThreadId thread) const noexcept {
  for (const Stopped& stopped : stopped_)
    if (stopped.slot->task == static_cast<pid_t>(thread)) return stopped.slot->context;
  return nullptr;
}

StoppedWorld::StoppedWorld(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StoppedWorld::~StoppedWorld() = default;

std::unique_ptr<StoppedWorld> StoppedWorld::stop(const StopOptions& options) {
  MOULT_CHECK(lock_use().held == 0, "a lock of moult is held across a stop");
  Clock::time_point deadline = Clock::now() + options.timeout;
  const UrgentStop urgent(options.memory != nullptr && is_service_thread());
  std::unique_ptr<StoppedWorld> stopped(new StoppedWorld(std::make_unique<Impl>(options, deadline)));
  MOULT_FAULT("threads.stop.begin");
  milliseconds limit{50};
  milliseconds rest{1};
  while (stopped->impl_->give_way(deadline)) {
    if (stopped->impl_->attempt(std::min(deadline, Clock::now() + limit))) return stopped;
    if (Clock::now() + rest >= deadline) break;
    sleep_for(rest);
    limit = std::min(limit * 2, milliseconds{10'000});  // attempts may be given up at once, again and again
    rest = std::min(rest * 2, milliseconds{20});
  }
  throw Error(ErrorCode::thread_unstoppable,
              "could not stop every thread at a safepoint within " + std::to_string(options.timeout.count()) + " ms: " +
                  stopped->impl_->blocker().explain() + "; nothing was changed, try again or allow more time");
}

std::chrono::steady_clock::time_point StoppedWorld::began() const noexcept { return impl_->began(); }

std::size_t StoppedWorld::thread_count() const noexcept { return impl_->threads().size() - 1; }

std::vector<std::string> StoppedWorld::thread_names() const {
  std::vector<std::string> names;
  for (ThreadId thread : impl_->threads().first(thread_count())) names.push_back(describe_thread(thread));
  return names;
}

void StoppedWorld::release() noexcept { impl_->release(); }

std::span<const ThreadId> StoppedWorld::threads() const noexcept { return impl_->threads(); }

void StoppedWorld::walk(ThreadId thread, const std::function<bool(const Frame&)>& visit) const {
  impl_->walk(thread, visit);
}

void StoppedWorld::visit_words(ThreadId thread,
                               const std::function<void(std::span<const std::uint64_t>)>& visit) const {
  impl_->visit_words(thread, visit);
}

ucontext_t* StoppedWorld::context(ThreadId thread) const noexcept { return impl_->context(thread); }

void StoppedWorld::walk_all(const std::function<bool(ThreadId, const Frame&)>& visit) const {
  bool go_on = true;
  for (ThreadId thread : impl_->threads()) {
    if (!go_on) return;
    impl_->walk(thread, [&](const Frame& frame) { return go_on = visit(thread, frame); });
  }
}

}  // namespace moult::internal

namespace moult {

ThreadId this_thread_id() noexcept { return ThreadId{internal::own_task()}; }

}  // namespace moult
