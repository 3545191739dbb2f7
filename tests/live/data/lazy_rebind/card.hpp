// A class of the program whose objects may be moved, with a trivial destructor.
#pragma once

#include <cstdint>

#include "moult/data_access.hpp"

constexpr std::uint64_t total = 1'000'000;

class Card : public moult::Updatable<Card, 64> {
 public:
  explicit Card(std::uint64_t left);
  Card(std::uint64_t left, std::uint64_t conversions);
  bool holds() const;
  void move(std::uint64_t much);

  std::uint64_t left;
  std::uint64_t right;
  std::uint64_t conversions;
};
