#include <cstdio>

struct Guarded {
  constexpr explicit Guarded(int value) : value(value) {}
  Guarded(const Guarded& other) : value(other.value + 1) {}
  int value;
};
Guarded guarded(5);

void answer(const char*, char* reply, unsigned long size) {
  const Guarded copy(guarded);
  std::snprintf(reply, size, "%d %d", ++guarded.value, copy.value);
}
