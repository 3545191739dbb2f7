// The store in a file: the requests that would make it anew, as a client sends them.
#pragma once

#include <string>
#include <string_view>

#include "commands.hpp"

namespace key_value {

/// What a file holds.
class SavedRequests final {
 public:
  void add(const Request& request) { bytes_ += bytes_of(request); }
  const std::string& bytes() const noexcept { return bytes_; }
  void clear() noexcept { bytes_.clear(); }

 private:
  std::string bytes_;
};

/// Adds the requests that make one entry.
void save_entry(SavedRequests& requests, const std::string& key, const Entry& entry);

/// Replaces the file at once, when all is written. Throws std::system_error.
void save(Database& database, const std::string& path);

/// Carries the file's requests out. Throws std::system_error, std::runtime_error where it holds something else.
void load(Database& database, const std::string& path);

}  // namespace key_value
