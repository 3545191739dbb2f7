// Calls in progress that do not end before their thread does.
#pragma once

#include <span>
#include <vector>

#include "alterability/quiescence.hpp"
#include "moult/update.hpp"

namespace moult::internal {

/// In a dry run, looks at all stacks in a short stop, and warns of each of `functions` that will never be quiescent in
/// `threads` (an empty list means every thread). Does nothing in an attempt to apply: its wait tells what it waits for.
void warn_of_endless_calls(std::span<const FunctionExtent> functions, const std::vector<ThreadId>& threads);

}  // namespace moult::internal
