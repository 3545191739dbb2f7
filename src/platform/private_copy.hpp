// A copy of a file that only this user can change.
#pragma once

#include <cstddef>
#include <string>

#include "base/fd.hpp"

namespace moult::internal {

/// Removes the copy again unless keep() was called.
class PrivateCopy final {
 public:
  /// Copies the file at `path` to a new file in `folder`, named after it: "hello.so" becomes "hello-k3Jx9Z.so". Throws
  /// Error, and leaves no file behind:
  /// unreadable: it is not there, or was written to while it was read
  /// permission_denied: it may not be read, or another user may have written it (base/trusted_file.hpp)
  /// no_room: disk or quota is full
  /// system: the copy cannot be made
  PrivateCopy(const std::string& path, const std::string& folder);
  ~PrivateCopy();
  PrivateCopy(const PrivateCopy&) = delete;
  PrivateCopy& operator=(const PrivateCopy&) = delete;

  const std::string& name() const noexcept { return name_; }
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
