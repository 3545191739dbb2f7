// A class of the program.
#pragma once

#include <cstdint>

#include "moult/data_access.hpp"

constexpr std::uint64_t total = 1'000'000;

class Account : public moult::Updatable<Account, 64> {
 public:
  explicit Account(std::uint64_t left);
  Account(std::uint64_t left, std::uint64_t conversions);
  Account(Account&& other) noexcept;
  ~Account();
  bool holds() const;
  void move(std::uint64_t much);

  std::uint64_t left;
  std::uint64_t right;
  const Account* self;
  std::uint64_t conversions;
};
