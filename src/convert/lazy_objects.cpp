#include <utility>

#include "base/opaque.hpp"
#include "convert/lazy_conversion.hpp"
#include "moult/lazy_update.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult {

LazyObjects::LazyObjects(std::shared_ptr<detail::OpaqueLazyConversion> conversion) noexcept
    : conversion_(std::move(conversion)) {}

LazyProgress LazyObjects::progress() const noexcept {
  return conversion_ == nullptr ? LazyProgress{} : internal::behind<internal::LazyConversion>(*conversion_).progress();
}

void LazyObjects::drain() const {
  if (conversion_ == nullptr) return;
  auto& conversion = internal::behind<internal::LazyConversion>(*conversion_);
  const internal::StoppedWorld* stopped = internal::current_stop();
  stopped != nullptr ? conversion.drain(*stopped) : conversion.drain();
}

}  // namespace moult
