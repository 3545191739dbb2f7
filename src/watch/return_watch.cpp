// Why: to ask again and again whether a function is active stops the program each time, and comes late all the same.
//
// How: the outermost active frame of a thread has its return address just below its CFA, which the walk has found. In a
// stop, that word is exchanged for the address of a stub. A frame that has a stub already is shared by those who watch.
//
// What becomes of a slot: its stub says that the call has returned, and then it is free. One of a call that was unwound
// is free once the word on the stack holds something else, because the unwinder asks for the true address up to the
// end; so is one of a call that longjmp has left. While the word is there, it may be that of a coroutine that nobody
// runs, and would return through the stub later: then it stays taken.
//
// When: never while the language's unwinder is at work on the stack, or an exception is between its two phases.
//
// Limits: code that reads its own return address (__builtin_return_address) reads the stub's. A stack that was copied
// before the watch (setjmp keeps no return address, a hand-made coroutine may) returns without telling.
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

/// The stack's own bytes: the address sanitizer has its markers between variables.
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

/// Where the outermost call of some functions returns to, in one thread.
struct Outermost {
  bool is_active = false;
  std::uint64_t place = 0;  ///< 0: it cannot be told
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
  // In the rest of a stack that is not walked precisely may be a call farther out.
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

/// Its slot is among those that the stop uses: one a thread, and some to spare.
bool has_uncaught_exception(const StoppedWorld& stopped, ThreadId thread) noexcept {
  const std::size_t most = stopped.threads().size() * 5 / 4 + 64;
  for (std::uint32_t index = 0; index < most; ++index) {
    const StopSlot& slot = stop_slot(index);
    if (slot.task == static_cast<pid_t>(thread)) return slot.uncaught_exceptions > 0;
  }
  return false;
}

/// The code of the unwinder, by its unwind information.
const std::vector<CodeRange>& unwinder_code() {
  static const std::vector<CodeRange> code = [] {
    std::vector<CodeRange> ranges;
    for (CodeAddress function : unwinder_functions())
      if (std::optional<CodeRange> range = unwind_entry_at(function)) ranges.push_back(*range);
    std::sort(ranges.begin(), ranges.end());
    return ranges;
  }();
  return code;
}

/// Whether the language's unwinder has looked at the thread's stack and will look at it again: no return address may
/// change then. It finds where an exception is caught first, and tells that frame by its CFA, which a stub changes.
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

/// The slots, in a stopped program. Those from `used` on never were.
struct Slots {
  std::uint32_t used = 0;
  std::uint32_t next = 0;
};
Slots slots;

/// Frees those whose calls are gone without a word. A thread on its way through a stub has changed the word already,
/// and needs its slot for an instruction more.
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

/// The call that `outermost` is, watched; nothing when it cannot be.
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
  // One reference is all that the function object can hold without memory of its own.
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

std::uint32_t told_so_far() noexcept { return told_returns().load(); }

void await_return(std::uint32_t seen, std::chrono::nanoseconds timeout) noexcept {
  futex_wait_for(told_returns(), seen, timeout);
}

}  // namespace moult::internal
