#include "convert/unconverted_report.hpp"

#include <cstdint>
#include <new>
#include <utility>

#include "base/address.hpp"
#include "base/event.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t most_reports = 100;

}  // namespace

void UnconvertedReport::add(const std::vector<Unconverted>& failures) noexcept {
  try {
    untold_.with([&](std::vector<Unconverted>& all) { all.insert(all.end(), failures.begin(), failures.end()); });
  } catch (const std::bad_alloc&) {  // whoever converts counts them
  }
}

void UnconvertedReport::tell() noexcept {
  std::vector<Unconverted> failures;
  untold_.with([&](std::vector<Unconverted>& all) { failures.swap(all); });
  for (const Unconverted& failure : failures) try {
      const std::size_t number = ++told_;
      if (number > most_reports) return;
      warn_of(failure, number);
    } catch (const std::bad_alloc&) {  // it stays unreported
    }
}

void UnconvertedReport::warn_of(const Unconverted& failure, std::size_t number) const {
  Event event;
  event.kind = EventKind::warning;
  event.text = "the object of " + old_class_ + " at " + hex_text(reinterpret_cast<std::uintptr_t>(failure.object)) +
               " was not converted to " + new_class_ + " and stays as it is: " + failure.reason;
  if (number == most_reports) event.text += "; there may be more, which are only counted";
  event_log().publish(std::move(event));
}

}  // namespace moult::internal
