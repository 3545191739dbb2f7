// The log: what moult tells of its work.
#pragma once

#include <string>
#include <string_view>

#pragma GCC visibility push(default)
namespace moult {

/// How much is told: only what the program logs itself; errors and postponements too; every step.
enum class LogLevel { none = 0, errors = 1, all = 2 };

/// Default: errors. From any thread.
void set_log_level(LogLevel level);
/// Where log lines go: a file, opened for appending, or "" for standard error. Throws Error (system); the old place
/// stays.
void set_log_path(const std::string& path);
/// A line of the program's own, told at every level.
void log(std::string_view text);

}  // namespace moult
#pragma GCC visibility pop
