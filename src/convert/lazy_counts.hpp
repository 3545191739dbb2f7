// How far a conversion at first use is.
#pragma once

#include <atomic>
#include <cstddef>

#include "moult/lazy_update.hpp"

namespace moult::internal {

/// Safe in any thread.
class LazyCounts final {
 public:
  void expect(std::size_t objects) noexcept { objects_ = objects; }
  void open(std::size_t chunks) noexcept {
    chunks_ = chunks;
    left_ = chunks;
  }

  /// Of a chunk that is converted.
  void add(std::size_t converted, std::size_t failed) noexcept {
    ++converted_chunks_;
    converted_ += converted;
    failed_ += failed;
  }
  /// Another chunk is done. True for the last one.
  bool close_one() noexcept { return left_.fetch_sub(1) == 1; }

  bool are_all_closed() const noexcept { return left_ == 0; }
  std::size_t converted() const noexcept { return converted_; }
  bool has_failures() const noexcept { return failed_ > 0; }
  LazyProgress progress(bool is_done) const noexcept {
    LazyProgress now;
    now.chunks = chunks_;
    now.converted_chunks = converted_chunks_;
    now.objects = objects_;
    now.converted_objects = converted_;
    now.failed_objects = failed_;
    now.is_done = is_done;
    return now;
  }

 private:
  std::atomic<std::size_t> chunks_{0};
  std::atomic<std::size_t> left_{0};  ///< chunks that are not done
  std::atomic<std::size_t> converted_chunks_{0};
  std::atomic<std::size_t> objects_{0};
  std::atomic<std::size_t> converted_{0};
  std::atomic<std::size_t> failed_{0};
};

}  // namespace moult::internal
