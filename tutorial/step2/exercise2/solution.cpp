// Doubles every Integer at its first use, and makes a Serie shuffle its text.
#include <algorithm>
#include <random>

#include "data.hpp"

class Integer_v2 : public moult::Updatable<Integer_v2> {
 public:
  explicit Integer_v2(int value) : value_(value) {}

 private:
  [[maybe_unused]] int value_;  // read by the program's functions
};

static Integer_v2 transformer(const Integer& integer) { return Integer_v2(2 * integer.value()); }

/// Has the layout of Serie: its method is called for the program's objects of that class.
class Serie_v2 {
 public:
  std::string text() const;

 private:
  std::vector<const Integer*> integers_;
};

std::string Serie_v2::text() const {
  static std::mt19937 random(std::random_device{}());
  std::vector<const Integer*> integers = integers_;
  std::shuffle(integers.begin(), integers.end(), random);
  std::string text;
  for (const Integer* integer : integers) text += std::to_string(integer->value()) + " ";
  return text;
}

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("main");
  manager.add_update(std::make_unique<moult::LazyConversionUpdate<Integer, Integer_v2>>("Integer", transformer));
  manager.add_update(std::make_unique<moult::SafeRedefineUpdate>("Serie", &Serie::text, &Serie_v2::text));
}
