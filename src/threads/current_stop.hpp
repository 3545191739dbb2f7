// The stop in which the steps of an update are carried out.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "threads/stopped_world.hpp"

namespace moult::internal {

/// The program stopped by the current transaction, or null.
const StoppedWorld* current_stop() noexcept;

/// Debug information that may be read in a stop, in bytes. It takes some 100 ms for the slowest reader.
constexpr std::size_t longest_reading = 8U << 20U;
/// The same for a search that skips most of it, as that for the copies of a few functions.
constexpr std::size_t longest_search = 64U << 20U;

/// In the stop of the current transaction, throws Error (unsupported) if `call` reads more than that: `bytes()`.
/// `next_step` says how to read before the stop. Does nothing elsewhere.
void require_short_reading(const std::string& call, const std::string& next_step,
                           const std::function<std::size_t()>& bytes, std::size_t most = longest_reading);

/// Calls `act(stopped)` in the stop of the current transaction, or else in a stop of its own.
void in_stopped_world(const StopOptions& options, const std::function<void(const StoppedWorld&)>& act);

}  // namespace moult::internal
