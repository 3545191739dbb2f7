// Quiescence: no call of a function is in progress.
//
// After the stack check of Ksplice (Arnold and Kaashoek, EuroSys 2009): stop the program, walk every stack, and go on
// only when none of the functions is on one. The fragments that the compiler split off a function belong to it. A class
// is quiescent when all its member functions are, including their inlined copies.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/address.hpp"
#include "base/transaction.hpp"
#include "moult/alterability.hpp"
#include "moult/update.hpp"
#include "symbols/program.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// All code of one function.
struct FunctionExtent {
  std::string name;
  std::vector<CodeRange> ranges;

  bool contains(CodeAddress address) const noexcept;
};

/// Throws Error (not_found) when the code there is unknown.
FunctionExtent extent_of(const Program& program, const AnyFunction& function);

/// The function and the versions that updates made of it: a call of any of them is a call of the function. Throws
/// Error: not_found.
std::vector<FunctionExtent> extents_of_versions(const Program& program, const AnyFunction& function);

/// The same for several functions, with the present symbols.
std::vector<FunctionExtent> extents_of_versions(const std::vector<AnyFunction>& functions);

/// The transaction of the update whose step this thread runs. Throws Error (invalid_argument) outside of one.
Transaction& transaction_of_the_step();

/// A call in progress, and its callers.
struct Activity {
  ThreadId thread{};
  std::string function;
  bool is_precise = true;           ///< false: a word on a stack without unwind information points into the function
  std::vector<CodeAddress> frames;  ///< from the active function outwards, at most 8
};

/// The code of `functions`, sorted and without overlaps. For many functions that takes a while: not in the stop if it
/// can be known before.
std::vector<CodeRange> code_of(std::span<const FunctionExtent> functions);

/// The first of `functions` that is active in `threads`; an empty list means every thread. `code` is their code_of.
std::optional<Activity> find_activity(const StoppedWorld& stopped, std::span<const FunctionExtent> functions,
                                      std::span<const CodeRange> code, const std::vector<ThreadId>& threads);

/// The next step where a call in progress never ends.
inline constexpr const char* way_round_endless_calls =
    "an update that waits for its quiescence waits that long: let the loop call a function, and replace that one; or "
    "leave the call at a static update point (RebootFunctionUpdate, ThreadRebootUpdate)";

/// "hello() is active in worker (12): called from main at app.cpp:30", and the next step if the function cannot return.
/// Reads symbols: not in a stopped program.
std::string explain(const Activity& activity);

/// Throws Error (still_active) when one of `functions` is active.
void require_quiescence(const StoppedWorld& stopped, std::span<const FunctionExtent> functions);

/// One probe. True leaves the program stopped by the current transaction.
bool check_quiescence(std::span<const FunctionExtent> functions, const Patience& patience,
                      const std::vector<ThreadId>& threads);

/// Probes until the check passes, or patience has run out. See moult/alterability.hpp.
bool wait_quiescence(std::span<const FunctionExtent> functions, const Patience& patience,
                     const std::vector<ThreadId>& threads);

/// The code of every member function of the class, and of their inlined copies. Reads debug information, so not in a
/// stopped program whose pause matters. Throws Error (not_found) when there is none.
std::vector<FunctionExtent> extents_of_class(const Program& program, const ClassName& of_class);

/// Calls `probe()` until it finds no obstacle (true) or patience has run out (false). At the end, and now and then
/// before, `describe(obstacle)` becomes the transaction's reason. A description reads symbols: it may take a tenth of
/// the waiting time, so that it does not compete with the program for the processor.
template <class Probe, class Describe>
bool wait_until_clear(Transaction& transaction, const Patience& patience, const Probe& probe,
                      const Describe& describe) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::milliseconds;
  constexpr milliseconds worth_telling{100};
  constexpr int share = 10;  // a tenth of the waiting time
  const Clock::time_point deadline = Clock::now() + patience.sleep_time * patience.max_tries;
  Clock::time_point next_word = Clock::now() + worth_telling;
  milliseconds delay = std::min(milliseconds{1}, patience.sleep_time);
  for (;;) {
    const auto obstacle = probe();
    if (!obstacle) return true;
    const Clock::time_point now = Clock::now();
    const bool is_last = now + delay > deadline;
    if (is_last || now >= next_word) {
      transaction.set_reason(describe(*obstacle));
      next_word = Clock::now() + std::max<Clock::duration>(worth_telling, (Clock::now() - now) * share);
    }
    if (is_last) return false;
    const auto sleep = [](Clock::time_point until) { return std::this_thread::sleep_until(until), false; };
    if (!transaction.rest(now + delay, sleep)) return false;
    delay = std::min(delay * 2, patience.sleep_time);
  }
}

}  // namespace moult::internal
