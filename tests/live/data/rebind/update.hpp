// What the program and its update tell each other.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "moult/data_update.hpp"

/// Invariants that did not hold; the program's.
extern std::atomic<int> broken;
/// Objects of class Account itself, those that a conversion makes included.
extern std::atomic<int> alive;

struct LoadedUpdate {
  std::unique_ptr<moult::Update> (*enrich)(bool with_inverse);
  /// The same, and preresume_setup throws.
  std::unique_ptr<moult::Update> (*enrich_and_fail)();
  std::size_t (*rich_found)();
  int (*rich_alive)();
  int (*rich_made)();  ///< by the constructor that programs call
};
