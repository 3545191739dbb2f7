// Quiescence: no call of a function is in progress.
//
// After the stack check of Ksplice (Arnold and Kaashoek, EuroSys 2009): stop the program, walk every stack, and go on
// only when none of the functions is on one. A function is all its code: the fragments that the compiler split off it
// too.
//
// The code of a class: whether one of its member functions is active.
//
// Waiting until nothing is in the way of a change, and saying meanwhile what is.
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

/// Throws Error (not_found) when nothing is known of the code there.
FunctionExtent extent_of(const Program& program, const AnyFunction& function);

/// The function and all that updates made of it: a call that began in an earlier version is a call of the function.
/// Throws Error: not_found.
std::vector<FunctionExtent> extents_of_versions(const Program& program, const AnyFunction& function);

/// The same of several, with the symbols as they are now.
std::vector<FunctionExtent> extents_of_versions(const std::vector<AnyFunction>& functions);

/// Of the update whose step this thread carries out. Throws Error: invalid_argument outside of one.
Transaction& transaction_of_the_step();

/// A call in progress that was found, and the calls it was reached through.
struct Activity {
  ThreadId thread{};
  std::string function;
  bool is_precise = true;           ///< false: a word on a stack that could not be walked points into it
  std::vector<CodeAddress> frames;  ///< from the active function outwards, at most 8
};

/// The first active one of `functions` in `threads`, or in any thread when none is named.
std::optional<Activity> find_activity(const StoppedWorld& stopped, std::span<const FunctionExtent> functions,
                                      const std::vector<ThreadId>& threads);

/// "hello() is active in worker (12): called from main at app.cpp:30". Reads symbols: not in a stopped program.
std::string explain(const Activity& activity);

/// Throws Error (still_active) when one of `functions` is active.
void require_quiescence(const StoppedWorld& stopped, std::span<const FunctionExtent> functions);

/// One probe: true leaves the program stopped by the current transaction.
bool check_quiescence(std::span<const FunctionExtent> functions, const Patience& patience,
                      const std::vector<ThreadId>& threads);

/// Probes until it holds or patience has run out. See moult/alterability.hpp.
bool wait_quiescence(std::span<const FunctionExtent> functions, const Patience& patience,
                     const std::vector<ThreadId>& threads);

/// The code of every member function of the class, as typeid, demangled, writes its name, and of the copies of them
/// that were inlined elsewhere. Reads debug information: not in a stopped program where the pause matters. Throws Error
/// (not_found) when there is none.
std::vector<FunctionExtent> extents_of_class(const Program& program, std::string_view class_name);

/// Calls `probe()` until it finds no obstacle (true) or patience has run out (false). What `describe(obstacle)` says of
/// the last one is the transaction's reason then, and now and then while it waits. To describe one takes reading
/// symbols, so that is done rarely: it must not take the program's processor time.
template <class Probe, class Describe>
bool wait_until_clear(Transaction& transaction, const Patience& patience, const Probe& probe,
                      const Describe& describe) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::milliseconds;
  constexpr milliseconds worth_telling{100};
  constexpr int share = 10;  // of the time that waiting takes
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
    std::this_thread::sleep_for(delay);
    delay = std::min(delay * 2, patience.sleep_time);
  }
}

}  // namespace moult::internal
