// The bytes of a file that nobody has checked yet.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace moult::internal {

/// Reads from a file without a mapping of it: a file that another process cuts short in the meantime cannot end this
/// one. Every offset and size is compared with the file's size first. Messages name the file by its path.
class FileBytes final {
 public:
  /// Throws Error (unreadable): it is missing, no regular file or empty.
  explicit FileBytes(const std::string& path);
  /// A file that the caller has opened.
  FileBytes(const Fd& file, std::string path);

  const std::string& path() const noexcept { return path_; }
  std::uint64_t size() const noexcept { return size_; }

  /// Throws Error (unreadable) unless the bytes lie inside of the file. `what` names them: "a segment".
  void require(std::uint64_t offset, std::uint64_t size, const char* what) const;
  /// Throws Error (unreadable), as require does, or if the file cannot be read.
  std::string read(std::uint64_t offset, std::uint64_t size, const char* what) const;

  template <class T>
  T read(std::uint64_t offset, const char* what) const {
    T value{};
    std::memcpy(&value, read(offset, sizeof(T), what).data(), sizeof(T));
    return value;
  }

  /// `size` counts bytes.
  template <class T>
  std::vector<T> table(std::uint64_t offset, std::uint64_t size, const char* what) const {
    const std::string source = read(offset, size, what);
    std::vector<T> entries(source.size() / sizeof(T));
    if (!entries.empty()) std::memcpy(entries.data(), source.data(), entries.size() * sizeof(T));
    return entries;
  }

 private:
  std::string path_;
  Fd own_;
  int file_;
  std::uint64_t size_ = 0;
};

}  // namespace moult::internal
