// The store in a file: the requests that would make it anew, as a client sends them.
#pragma once

#include <string>
#include <string_view>

#include "commands.hpp"

namespace key_value {

/// The requests that make one entry, as a file holds them.
class EntryRequests final {
 public:
  EntryRequests(std::string& file, std::string_view key) noexcept : file_(file), key_(key) {}
  /// "COMMAND key ARGUMENT"
  void add(std::string_view command, std::string_view argument) { file_ += bytes_of({{command, key_, argument}}); }

 private:
  std::string& file_;
  std::string_view key_;
};
void save_entry(EntryRequests& requests, const Entry& entry);

/// Replaces the file at once, when all is written. Throws std::system_error.
void save(Database& database, const std::string& path);

/// Carries the file's requests out. Throws std::system_error, std::runtime_error where it holds something else.
void load(Database& database, const std::string& path);

}  // namespace key_value
