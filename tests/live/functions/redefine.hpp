// One update after another, with an inline manager.
#pragma once

#include <memory>

#include "apply_update.hpp"
#include "moult/updates.hpp"

namespace moult::subject {

using test::apply;

template <class Old, class Fresh>
UpdateReport redefine(Old old_function, Fresh fresh) {
  return apply(std::make_unique<SafeRedefineUpdate>("redefine", old_function, fresh));
}

}  // namespace moult::subject
