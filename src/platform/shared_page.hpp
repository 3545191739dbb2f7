// A page of memory that other processes can look at, by a file's name.
#pragma once

#include <cstddef>
#include <string>

#include "platform/owned_path.hpp"

namespace moult::internal {

/// The file goes away with it. A child after fork has the same page, and leaves the file alone.
class SharedPage final {
 public:
  /// Makes the file, with mode 0600, in place of one that is there. The caller has made sure that nobody else may write
  /// to the folder. Zeroed. Throws Error (system).
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
