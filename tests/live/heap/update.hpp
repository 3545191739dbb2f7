// What the program and its update tell each other.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "moult/heap_walker.hpp"

struct Found {
  std::multiset<int> numbers;
  std::map<int, std::string> paths;
  std::multiset<int> sides;
  moult::HeapSummary summary;
};

struct LoadedUpdate {
  Found (*find)(const moult::HeapTraversal& options);
  /// Counts visits in the objects; throws at the one of that number, and takes the others back.
  std::unique_ptr<moult::Update> (*count_and_throw_at)(int number);
  std::unique_ptr<moult::Update> (*count)();
  std::unique_ptr<moult::Update> (*look)();
  std::size_t (*measure)();
  Found (*change_settings)();
  Found (*look_at_settings)();
};
