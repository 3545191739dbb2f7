// Problem: an update may have to wait until a function is no longer active. Asking again and again stops the program
// each time, and still notices the return late.
//
// Approach: the return address of a thread's outermost active frame lies just below the frame's CFA, which the stack
// walk finds. In a stop, that word is replaced by the address of a stub. Several watches share the stub of a frame.
//
// Slots of stubs: the stub reports the return, and its slot is free then. The slot of an unwound call is free once the
// word on the stack has changed: the unwinder asks for the true address up to the end. The same holds for a call that
// longjmp has left. While the word is still there, it may belong to a suspended coroutine, which would return through
// the stub later: the slot stays taken.
//
// No return address changes while the language's unwinder works on the stack, or between an exception's two phases.
//
// Threads: watching and unwatching need a StoppedWorld. has_returned, returns_so_far and await_return work in any
// thread. A returning thread only writes its slot and a counter.
//
// Limits: 4096 stubs. Code that reads its own return address (__builtin_return_address) reads the stub's. A stack that
// was copied before the watch returns without a report (setjmp keeps no return address, a handmade coroutine may).
#include "watch/return_watch.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/fault.hpp"
#include "moult/error.hpp"
#include "platform/futex.hpp"
#include "platform/mappings.hpp"
#include "platform/stop_signal.hpp"
#include "platform/x86_64/return_stubs.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

/// Without the address sanitizer's checks: its markers lie between the variables of a stack.
__attribute__((no_sanitize("address"))) std::uint64_t read(std::uint64_t place) noexcept {
  return *reinterpret_cast<const volatile std::uint64_t*>(place);
}
__attribute__((no_sanitize("address"))) void write(std::uint64_t place, std::uint64_t word) noexcept {
  *reinterpret_cast<volatile std::uint64_t*>(place) = word;
}

bool contains(std::span<const CodeRange> ranges, CodeAddress address) noexcept {
  auto after = std::upper_bound(ranges.begin(), ranges.end(), address,
                                [](CodeAddress wanted, const CodeRange& range) { return wanted < range.begin; });
  return after != ranges.begin() && std::prev(after)->contains(address);
}

/// The outermost call of some functions in one thread.
struct Outermost {
  bool is_active = false;
  std::uint64_t place = 0;  ///< of the return address; 0: unknown
  CodeAddress returns_to{};
};

Outermost find_outermost(const StoppedWorld& stopped, ThreadId thread, std::span<const CodeRange> functions) {
  Outermost found;
  bool was_active = false;
  bool is_precise = true;
  stopped.walk(thread, [&](const Frame& frame) {
    if (std::exchange(was_active, false)) {
      const std::uint64_t place = frame.stack_pointer - sizeof(std::uint64_t);
      const bool is_known = frame.is_precise && frame.is_return_address && read(place) == value(frame.pc);
      found = {true, is_known ? place : 0, frame.pc};
    }
    was_active = contains(functions, frame.lookup_address());
    if (was_active) found = {true, 0, {}};
    is_precise = is_precise && frame.is_precise;
    return true;
  });
  // The rest of an imprecisely walked stack may hold a call farther out.
  if (!is_precise) found.place = 0;
  return found;
}

bool stands_in_stub(const StoppedWorld& stopped) {
  bool found = false;
  for (ThreadId thread : stopped.threads())
    stopped.walk(thread, [&found](const Frame& frame) {
      found = found || (!frame.is_return_address && is_in_return_stub(frame.pc));
      return !frame.is_return_address || frame.is_precise;
    });
  return found;
}

/// The stop uses one slot a thread, and some to spare.
bool has_uncaught_exception(const StoppedWorld& stopped, ThreadId thread) noexcept {
  const std::size_t most = stopped.threads().size() * 5 / 4 + 64;
  for (std::uint32_t index = 0; index < most; ++index) {
    const StopSlot& slot = stop_slot(index);
    if (slot.task == static_cast<pid_t>(thread)) return slot.uncaught_exceptions > 0;
  }
  return false;
}

/// The code of the language's unwinder, by its unwind table entries.
const std::vector<CodeRange>& unwinder_code() {
  static const auto& code = *[] {
    auto* const made = new std::vector<CodeRange>;
    for (CodeAddress function : unwinder_functions())
      if (std::optional<CodeRange> range = unwind_entry_at(function)) made->push_back(*range);
    std::sort(made->begin(), made->end());
    return made;
  }();
  return code;
}

/// Whether the language's unwinder has read the thread's stack and will read it again. Then no return address may
/// change: it has found the catching frame, and knows it by its CFA, which a stub changes.
bool is_unwinding(const StoppedWorld& stopped, ThreadId thread) noexcept {
  if (has_uncaught_exception(stopped, thread)) return true;
  bool found = false;
  stopped.walk(thread, [&found](const Frame& frame) {
    found = frame.is_precise && contains(unwinder_code(), frame.lookup_address());
    return !found && frame.is_precise;
  });
  return found;
}

bool is_still_there(std::uint32_t index) noexcept {
  const std::uint64_t place = return_slot(index).place;
  return is_readable(place) && read(place) == value(return_stub(index));
}

/// Used in a stopped program. Slots from `used` on were never taken.
struct Slots {
  std::uint32_t used = 0;
  std::uint32_t next = 0;
};
Slots slots;

/// Frees the slots of calls that ended without a report. A thread inside a stub has changed the word already, and needs
/// its slot for one more instruction.
void free_left_slots(const StoppedWorld& stopped) {
  if (stands_in_stub(stopped)) return;
  for (std::uint32_t index = 0; index < slots.used; ++index) {
    ReturnSlot& slot = return_slot(index);
    const ReturnState state = slot.state.load();
    if ((state == ReturnState::armed || state == ReturnState::passed) && !is_still_there(index))
      slot.state.store(ReturnState::vacant);
  }
}

std::optional<std::uint32_t> take_slot() noexcept {
  for (std::uint32_t tried = 0; tried < return_stub_count; ++tried) {
    const std::uint32_t index = slots.next;
    slots.next = (slots.next + 1) % return_stub_count;
    const ReturnState state = return_slot(index).state.load();
    if (state != ReturnState::vacant && state != ReturnState::returned) continue;
    slots.used = std::max(slots.used, index + 1);
    return index;
  }
  return std::nullopt;
}

/// Watches the outermost call; nothing when it cannot be watched.
std::optional<WatchedCall> watch(ThreadId thread, const Outermost& outermost) noexcept {
  if (outermost.place == 0 || !knows_return_stubs()) return std::nullopt;
  if (std::optional<std::uint32_t> index = return_slot_of(outermost.returns_to)) {
    ReturnSlot& slot = return_slot(*index);
    if (slot.state.load() != ReturnState::armed) return std::nullopt;
    ++slot.owners;
    return WatchedCall{thread, *index, slot.uses};
  }
  const std::optional<std::uint32_t> index = take_slot();
  if (!index) return std::nullopt;
  ReturnSlot& slot = return_slot(*index);
  slot.true_address = value(outermost.returns_to);
  slot.place = outermost.place;
  slot.owners = 1;
  ++slot.uses;
  slot.state.store(ReturnState::armed);
  write(outermost.place, value(return_stub(*index)));
  return WatchedCall{thread, *index, slot.uses};
}

void require_no_shadow_stack() {
  if (has_shadow_stack())
    throw Error(ErrorCode::unsupported,
                "the processor keeps shadow stacks for this program (CET), so that no return address can be changed; "
                "wait for quiescence instead, or run the program with "
                "GLIBC_TUNABLES=glibc.cpu.x86_shstk=off");
}

}  // namespace

bool has_returned(const WatchedCall& call) noexcept {
  const ReturnSlot& slot = return_slot(call.slot);
  return slot.state.load() != ReturnState::armed || slot.uses != call.use;
}

Watch watch_returns(const StoppedWorld& stopped, std::span<const CodeRange> functions,
                    const std::vector<ThreadId>& threads) {
  require_no_shadow_stack();
  MOULT_FAULT("watch.return_watch.reserve");
  Watch watched;
  watched.calls.reserve(stopped.threads().size());
  watched.unwatched.reserve(stopped.threads().size());
  watched.unwinding.reserve(stopped.threads().size());
  free_left_slots(stopped);
  const ThreadId self = stopped.threads().back();
  for (ThreadId thread : stopped.threads()) {
    if (!threads.empty() && std::find(threads.begin(), threads.end(), thread) == threads.end()) continue;
    const Outermost outermost = find_outermost(stopped, thread, functions);
    if (!outermost.is_active) continue;
    if (thread != self && is_unwinding(stopped, thread)) {
      watched.unwinding.push_back(thread);
      continue;
    }
    const std::optional<WatchedCall> call = thread == self ? std::nullopt : watch(thread, outermost);
    if (call)
      watched.calls.push_back(*call);
    else
      watched.unwatched.push_back(thread);
  }
  return watched;
}

bool is_on_stack(const StoppedWorld& stopped, const WatchedCall& call) noexcept {
  struct Search {
    CodeAddress stub;
    std::uint64_t place;
    bool has_found = false;
  };
  // std::function holds one reference without allocating memory.
  Search search{return_stub(call.slot), return_slot(call.slot).place};
  stopped.walk(call.thread, [&search](const Frame& frame) {
    search.has_found = frame.pc == search.stub && frame.is_precise && frame.is_return_address &&
                       frame.stack_pointer - sizeof(std::uint64_t) == search.place;
    return !search.has_found && frame.is_precise;
  });
  return search.has_found;
}

void end_watch(const StoppedWorld& stopped, std::span<const WatchedCall> calls) noexcept {
  for (const WatchedCall& call : calls) {
    if (has_returned(call)) continue;
    ReturnSlot& slot = return_slot(call.slot);
    if (--slot.owners > 0 || is_unwinding(stopped, call.thread) || !is_on_stack(stopped, call)) continue;
    write(slot.place, slot.true_address);
    slot.state.store(ReturnState::vacant);
  }
}

std::uint32_t returns_so_far() noexcept { return told_returns().load(); }

void await_return(std::uint32_t seen, std::chrono::nanoseconds timeout) noexcept {
  futex_wait_for(told_returns(), seen, timeout);
}

}  // namespace moult::internal
