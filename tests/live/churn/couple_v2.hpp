// The new version of a Couple, and the ways there and back.
#pragma once

#include "target.hpp"

class Couple_v2 : public moult::Updatable<Couple_v2> {
 public:
  explicit Couple_v2(int value);
  bool is_sound() const;
  void step();

  int left;
  int right;
};

// NOLINTBEGIN(misc-definitions-in-headers): each update is one source file
MOULT_UPDATABLE Couple_v2::Couple_v2(int value) : left(value), right(value + 2) {}
MOULT_UPDATABLE bool Couple_v2::is_sound() const { return right == left + 2; }
MOULT_UPDATABLE void Couple_v2::step() {
  ++left;
  ++right;
}
// NOLINTEND(misc-definitions-in-headers)

/// Converts all couples.
template <template <class, class> class Conversion>
void convert(const char* name) {
  const moult::ConversionOptions<Couple, Couple_v2> options{
      .rebind = moult::Rebind::yes, .inverse = [](const Couple_v2& fresh) { return Couple(fresh.left); }};
  auto update = std::make_unique<Conversion<Couple, Couple_v2>>(
      name, [](const Couple& old) { return Couple_v2(old.left); }, options);
  update->set_patience(patient());
  moult::threaded_manager("churn").add_update(std::move(update));
}
