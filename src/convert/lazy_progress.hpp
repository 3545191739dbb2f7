// How far a lazy conversion is, and which objects it leaves as they are.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "convert/slab_conversion.hpp"
#include "moult/lazy_update.hpp"

namespace moult::internal {

/// Progress of a lazy conversion. Safe in any thread.
class LazyCounts final {
 public:
  void expect(std::size_t objects) noexcept { objects_ = objects; }
  void open(std::size_t slabs) noexcept {
    slabs_ = slabs;
    left_ = slabs;
  }

  /// Counts a converted slab.
  void add(std::size_t converted, std::size_t failed) noexcept {
    ++converted_slabs_;
    converted_ += converted;
    failed_ += failed;
  }
  /// One more slab is done. True for the last one.
  bool close_one() noexcept { return left_.fetch_sub(1) == 1; }

  bool are_all_closed() const noexcept { return left_ == 0; }
  std::size_t converted() const noexcept { return converted_; }
  bool has_failures() const noexcept { return failed_ > 0; }
  LazyProgress progress(bool is_done) const noexcept;

 private:
  std::atomic<std::size_t> slabs_{0};
  std::atomic<std::size_t> left_{0};  ///< slabs that are not done
  std::atomic<std::size_t> converted_slabs_{0};
  std::atomic<std::size_t> objects_{0};
  std::atomic<std::size_t> converted_{0};
  std::atomic<std::size_t> failed_{0};
};

/// Warns of the objects that a conversion leaves as they are: 100 at most. Safe in any thread.
class UnconvertedReport final {
 public:
  UnconvertedReport(std::string old_class, std::string new_class)
      : old_class_(std::move(old_class)), new_class_(std::move(new_class)) {}

  /// Keeps the objects for write(). Without memory for that they are not reported.
  void add(const std::vector<Unconverted>& failures) noexcept;
  /// Not in a stop of slab_stops.hpp: a thread that waits there may hold the lock of the log's stream.
  void write() noexcept;

 private:
  void warn_of(const Unconverted& failure, std::size_t number) const;

  std::string old_class_;
  std::string new_class_;
  Guarded<std::vector<Unconverted>> unwritten_;
  std::atomic<std::size_t> written_{0};
};

}  // namespace moult::internal
