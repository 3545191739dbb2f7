// The log of moult's work.
//
//   moult::set_log_path("/var/log/app-moult.log");
//   moult::set_log_level(moult::LogLevel::all);
//   moult::log("serving");
#pragma once

#include <string>
#include <string_view>

#pragma GCC visibility push(default)
namespace moult {

/// How much is logged: only the program's own lines; errors and postponements too; every step.
enum class LogLevel { none = 0, errors = 1, all = 2 };

/// Default: errors. From any thread.
void set_log_level(LogLevel level);
/// Where log lines go: a file, opened for appending, or "" for standard error. From any thread.
///
/// system: the file cannot be opened; the old place stays
void set_log_path(const std::string& path);
/// Logs a line of the program's own, at every level. From any thread.
void log(std::string_view text);

}  // namespace moult
#pragma GCC visibility pop
