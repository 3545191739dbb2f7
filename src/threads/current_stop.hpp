// The stop in which the steps of an update are carried out.
#pragma once

#include <functional>

#include "threads/stopped_world.hpp"

namespace moult::internal {

/// The program stopped by the current transaction, or null.
const StoppedWorld* current_stop() noexcept;

/// Calls `act(stopped)` in the stop of the current transaction, or else in a stop of its own.
void in_stopped_world(const StopOptions& options, const std::function<void(const StoppedWorld&)>& act);

}  // namespace moult::internal
