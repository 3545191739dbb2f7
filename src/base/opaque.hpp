// From an opaque type of a public header to the library's own class. Only moult makes such objects, so the cast is
// safe.
#pragma once

#include "moult/detail/opaque.hpp"

namespace moult::internal {

template <class Known, class Kind>
Known& behind(detail::Opaque<Kind>& opaque) noexcept {
  return static_cast<Known&>(opaque);
}

template <class Known, class Kind>
const Known& behind(const detail::Opaque<Kind>& opaque) noexcept {
  return static_cast<const Known&>(opaque);
}

}  // namespace moult::internal
