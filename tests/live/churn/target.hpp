// What the updates change in a program whose threads come and go.
#pragma once

#include "moult/moult.hpp"

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

/// A minute for a moment in which no thread is where it may not be, and much of it for one stop on a busy machine.
inline moult::Patience patient() {
  return {.max_tries = 3000,
          .sleep_time = std::chrono::milliseconds(20),
          .stop_timeout = std::chrono::seconds(20),
          .max_postponements = 0};
}
