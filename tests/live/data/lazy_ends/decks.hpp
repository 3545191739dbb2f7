// Classes of the program whose objects own memory: one that may be moved, and one that points into itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "moult/lazy_update.hpp"

/// The number of old destructors that have run.
extern std::atomic<int> old_ends;

class Hand : public moult::Updatable<Hand, 64> {
 public:
  explicit Hand(std::uint64_t number);
  Hand(Hand&&) noexcept = default;
  ~Hand();
  std::uint64_t number() const;

  std::unique_ptr<std::uint64_t> card;
  std::vector<std::string> log;
};

class Deck : public moult::Updatable<Deck, 64> {
 public:
  explicit Deck(std::uint64_t number);
  Deck(Deck&&) noexcept = default;
  ~Deck();
  std::uint64_t number() const;

  std::string label;
  std::vector<std::string> log;
};

template <>
inline constexpr bool moult::is_relocatable<Hand> = true;
