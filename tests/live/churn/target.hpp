// What the updates change in a program whose threads come and go.
#pragma once

#include "moult/moult.hpp"
#include "patience.hpp"

/// 1, and 2 once it was updated.
int version();

/// Two numbers that always differ by one, in a Couple of the new version by two. The transformer of a conversion at
/// first use may not call its functions, hence the public fields.
class Couple : public moult::Updatable<Couple> {
 public:
  explicit Couple(int value);
  bool is_sound() const;
  void step();

  int left;
  int right;
};
