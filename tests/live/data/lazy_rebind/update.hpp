// The interface between the program and its update.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "moult/lazy_update.hpp"

/// The program's invariants that did not hold.
extern std::atomic<int> broken;

struct LoadedUpdate {
  std::unique_ptr<moult::Update> (*enrich)(moult::Untouched untouched);
  /// The same, and preresume_setup throws.
  std::unique_ptr<moult::Update> (*enrich_and_fail)();
  moult::LazyObjects (*objects)();  ///< of the newest update
  std::size_t (*rich_found)();
};
