// Execution of one command.
#pragma once

#include <stop_token>

#include "control/backend.hpp"

namespace moult::internal {

/// True for commands that answer at once, without reading files, stacks or updates in progress.
bool is_quick(const Command& command) noexcept;

/// True for commands that read debug information, which takes much memory meanwhile.
bool reads_debug_information(const Command& command) noexcept;

/// What a command without memory ends with. It may have been carried out, so that only the reply found no memory.
Failure no_memory_failure();

/// Throws only std::bad_alloc: what the backend throws becomes the reply's error. Answers `log` without following.
/// `tell` gets the notices of a request that wants them; without one there are none.
Result execute(const Command& command, const Backend& backend, const std::stop_token& stop, const Tell& tell = {});

EventRecord to_record(const Event& event);

}  // namespace moult::internal
