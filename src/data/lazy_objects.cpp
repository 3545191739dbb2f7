#include <utility>

#include "data/lazy_conversion.hpp"
#include "moult/lazy_update.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult {

LazyObjects::LazyObjects(std::shared_ptr<data::LazyConversion> conversion) noexcept
    : conversion_(std::move(conversion)) {}

LazyProgress LazyObjects::progress() const noexcept {
  return conversion_ == nullptr ? LazyProgress{} : conversion_->progress();
}

void LazyObjects::drain() const {
  if (conversion_ == nullptr) return;
  const threads::StoppedWorld* stopped = threads::current_stop();
  stopped != nullptr ? conversion_->drain(*stopped) : conversion_->drain();
}

}  // namespace moult
