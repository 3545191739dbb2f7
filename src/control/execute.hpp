// One command, carried out.
#pragma once

#include <stop_token>

#include "control/backend.hpp"

namespace moult::internal {

/// True for commands that are answered at once, without looking at files, stacks or updates in progress.
bool is_quick(const Command& command) noexcept;

/// True for commands that read debug information, and take much memory for as long as that lasts.
bool reads_debug_information(const Command& command) noexcept;

/// Never throws but for want of memory: what the backend throws becomes the reply's error. `log` is answered without
/// following.
Result execute(const Command& command, const Backend& backend, const std::stop_token& stop);

EventRecord to_record(const Event& event);

}  // namespace moult::internal
