// A page of memory that other processes can read, through a file's name.
#pragma once

#include <cstddef>
#include <string>

#include "platform/owned_path.hpp"

namespace moult::internal {

/// The destructor removes the file. A child of fork shares the page and leaves the file alone.
class SharedPage final {
 public:
  /// Makes the file with mode 0600 and replaces an existing one. The page is zeroed. The caller ensures that no other
  /// user may write to the folder. Throws Error (system).
  explicit SharedPage(const std::string& path);
  ~SharedPage();
  SharedPage(const SharedPage&) = delete;
  SharedPage& operator=(const SharedPage&) = delete;

  std::byte* begin() const noexcept { return begin_; }

 private:
  OwnedPath path_;
  std::byte* begin_ = nullptr;
};

}  // namespace moult::internal
