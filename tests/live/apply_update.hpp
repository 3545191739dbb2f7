// One update after another, with an inline manager.
#pragma once

#include <memory>
#include <utility>

#include "moult/manager.hpp"

namespace moult::test {

inline UpdateReport apply(std::unique_ptr<Update> update) {
  static Manager manager("test");
  UpdateHandle handle = manager.add_update(std::move(update));
  manager.apply_next_update();
  return handle.report();
}

}  // namespace moult::test
