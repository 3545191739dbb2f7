// The interface between the program and its update.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "moult/data_update.hpp"

/// The program's invariants that did not hold.
extern std::atomic<int> broken;
/// Objects of class Account itself, including those that a conversion makes.
extern std::atomic<int> alive;

struct LoadedUpdate {
  std::unique_ptr<moult::Update> (*enrich)(bool with_inverse);
  /// The same, and preresume_setup throws.
  std::unique_ptr<moult::Update> (*enrich_and_fail)();
  std::size_t (*rich_found)();
  int (*rich_alive)();
  int (*rich_made)();  ///< by the constructor that programs call
};
