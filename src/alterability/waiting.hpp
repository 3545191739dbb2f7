// Waiting until nothing is in the way of a change, and saying meanwhile what is.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/transaction.hpp"
#include "moult/update.hpp"

namespace moult::internal {

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
