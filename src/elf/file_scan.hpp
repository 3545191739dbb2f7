// Problem: a section of debug information has megabytes. Searched in a file's mapping, all of it would count as the
// program's memory until the file is closed.
//
// Approach: it is searched piece by piece, and the pages of a piece are released as soon as they were passed. They stay
// in the kernel's cache of the file: a later access to them costs a fault for every 16 pages, about a microsecond.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace moult::internal {

/// Lets the pages of a mapped file that are wholly in `bytes` go. Their bytes can be read as before. Does nothing for
/// memory that is not a file's.
void release(std::string_view bytes) noexcept;

/// A passage over bytes of a mapped file, from the beginning to the end. Releases what was passed, a piece at a time.
/// What is less than a piece stays for the passage around this one.
class FileScan final {
 public:
  static constexpr std::size_t piece = std::size_t{1} << 20U;

  explicit FileScan(std::string_view bytes) noexcept : rest_(bytes) {}
  ~FileScan() { pass(rest_.data() + rest_.size()); }
  FileScan(const FileScan&) = delete;
  FileScan& operator=(const FileScan&) = delete;

  /// What lies before `place` is not needed for now.
  void pass(const char* place) noexcept {
    const std::size_t passed = static_cast<std::size_t>(place - rest_.data());
    if (passed < piece || passed > rest_.size()) return;
    release(rest_.substr(0, passed));
    rest_.remove_prefix(passed);
  }

 private:
  std::string_view rest_;
};

/// The first place of `text` in `bytes` from `from` on, or npos.
std::size_t find(std::string_view bytes, std::string_view text, std::size_t from = 0) noexcept;

/// Calls `visit(position)` for each place in `bytes` where `text`, which is not empty, begins. Stops when a visit
/// returns false, and returns false then.
template <class Visit>
bool visit_occurrences(std::string_view bytes, std::string_view text, Visit&& visit) {
  FileScan scan(bytes);
  for (std::size_t begin = 0; begin < bytes.size(); begin += FileScan::piece) {
    scan.pass(bytes.data() + begin);
    const std::string_view here = bytes.substr(begin, FileScan::piece + text.size() - 1);
    for (std::size_t at = 0; (at = find(here, text, at)) != std::string_view::npos; ++at)
      if (!visit(begin + at)) return false;
  }
  return true;
}

bool contains(std::string_view bytes, std::string_view text);

}  // namespace moult::internal
