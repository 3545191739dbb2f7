// A copy of a file that only this user can change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/fd.hpp"

namespace moult::internal {

/// Removes the copy again unless keep() was called.
class PrivateCopy final {
 public:
  /// Copies the open file to a new file in `folder`, named after its `path`: "hello.so" becomes "hello-k3Jx9Z.so".
  /// Throws Error, and leaves no file behind:
  /// unreadable: it cannot be read, or was written to while it was read
  /// no_room: disk or quota is full
  /// system: the copy cannot be made
  PrivateCopy(const Fd& source, const std::string& path, const std::string& folder);
  ~PrivateCopy();
  PrivateCopy(const PrivateCopy&) = delete;
  PrivateCopy& operator=(const PrivateCopy&) = delete;

  const std::string& name() const noexcept { return name_; }
  struct Change {
    std::uint64_t offset = 0;
    std::string bytes;
  };
  /// Overwrites bytes of the copy; before it is loaded. Throws Error: no_room, system.
  void overwrite(std::span<const Change> changes) const;
  void keep() noexcept { is_kept_ = true; }

 private:
  void create(const std::string& path, const std::string& folder);
  void fill(const Fd& source, const std::string& path);
  void append(const char* bytes, std::size_t size);

  std::string name_;
  Fd file_;
  bool is_kept_ = false;
};

}  // namespace moult::internal
