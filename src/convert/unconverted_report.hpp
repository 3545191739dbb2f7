// The objects that a conversion leaves as they are, named in the log.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "convert/slab_conversion.hpp"

namespace moult::internal {

/// Safe in any thread.
class UnconvertedReport final {
 public:
  UnconvertedReport(std::string old_class, std::string new_class)
      : old_class_(std::move(old_class)), new_class_(std::move(new_class)) {}

  /// To be told later. Without memory for that they stay unreported.
  void add(const std::vector<Unconverted>& failures) noexcept;
  /// Not in the stop of a chunk: whoever waits there may have the stream locked that the log is written to.
  void tell() noexcept;

 private:
  void warn_of(const Unconverted& failure, std::size_t number) const;

  std::string old_class_;
  std::string new_class_;
  Guarded<std::vector<Unconverted>> untold_;
  std::atomic<std::size_t> told_{0};
};

}  // namespace moult::internal
