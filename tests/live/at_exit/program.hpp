// A program that calls greet() until its very end.
#pragma once

#include <string>

#include "moult/relinking.hpp"

namespace app {

/// Writes a line that is flushed with the standard streams.
void say(const std::string& line);

MOULT_UPDATABLE std::string greet();

/// Tells of its end.
struct Shared {
  explicit Shared(const char* its_name) : name(its_name) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { say(std::string(name) + " ends"); }
  const char* name;
};

/// One for the program and its updates, made by the first that asks.
[[gnu::always_inline]] inline Shared& shared() {
  static Shared only("shared object");
  return only;
}

}  // namespace app
