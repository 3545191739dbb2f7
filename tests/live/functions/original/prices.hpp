// A program with functions that two updates replace, one on top of the other.
#pragma once

#include <memory>

#include "moult/relinking.hpp"
#include "moult/update.hpp"

namespace app {

/// 7 for 7.
MOULT_UPDATABLE int price(int number);

class Shop {
 public:
  virtual ~Shop() = default;
  /// 3 times the number.
  virtual int rate(int number) const;

 private:
  int factor_ = 3;
};

extern "C" {
/// Its first instruction has no form that could be executed elsewhere.
int begins_with_jrcxz(int number);
/// Jumps back to its first instruction.
int begins_with_loop(int number);
}

/// What an update's library shows to the test.
struct Exports {
  /// moult::original of everything.
  void (*find)();
  int (*call_old_price)(int number);
  std::unique_ptr<moult::Update> (*make)();
};

}  // namespace app
