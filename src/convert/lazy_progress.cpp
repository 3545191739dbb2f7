#include "convert/lazy_progress.hpp"

#include <cstdint>
#include <new>

#include "base/address.hpp"
#include "base/warning.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t most_reports = 100;

}  // namespace

LazyProgress LazyCounts::progress(bool is_done) const noexcept {
  LazyProgress now;
  now.chunks = slabs_;
  now.converted_chunks = converted_slabs_;
  now.objects = objects_;
  now.converted_objects = converted_;
  now.failed_objects = failed_;
  now.is_done = is_done;
  return now;
}

void UnconvertedReport::add(const std::vector<Unconverted>& failures) noexcept {
  try {
    unwritten_.with([&](std::vector<Unconverted>& all) { all.insert(all.end(), failures.begin(), failures.end()); });
  } catch (const std::bad_alloc&) {  // LazyCounts counts them
  }
}

void UnconvertedReport::write() noexcept {
  std::vector<Unconverted> failures;
  unwritten_.with([&](std::vector<Unconverted>& all) { failures.swap(all); });
  for (const Unconverted& failure : failures) try {
      const std::size_t number = ++written_;
      if (number > most_reports) return;
      warn_of(failure, number);
    } catch (const std::bad_alloc&) {  // the object is not reported
    }
}

void UnconvertedReport::warn_of(const Unconverted& failure, std::size_t number) const {
  warn("the object of " + old_class_ + " at " + hex_text(reinterpret_cast<std::uintptr_t>(failure.object)) +
       " was not converted to " + new_class_ + " and stays as it is: " + failure.reason +
       (number == most_reports ? "; there may be more, which are only counted" : ""));
}

}  // namespace moult::internal
