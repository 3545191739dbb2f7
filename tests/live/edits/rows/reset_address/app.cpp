#include <cstdio>

static const char* name = "one";

void answer(const char* question, char* reply, unsigned long size) {
  name = question[0] == 'x' ? "two" : name;
  std::snprintf(reply, size, "%s", name);
}
