#include <cstdio>
#include <memory>

extern char* optarg;

namespace {
int asked = 0;
}

int number_of(int question) { return question + ++asked; }

void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d", number_of(question[0]));
}
