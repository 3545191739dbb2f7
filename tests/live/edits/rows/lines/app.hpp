#pragma once
#include <cstdio>

#define HERE __LINE__

inline int in_header(int number) {
  if (number < 0) std::printf("app.hpp:%d\n", HERE);
  return number + 1;
}
