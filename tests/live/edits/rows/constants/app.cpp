#include <cstdio>
#include <cstdlib>

static const int table[] = {1, 2, 3, 5, 8};
static const char* const names[] = {"one", "two", "three"};

int weight(int number) { return table[number % 5]; }
const char* name(int number) { return names[number % 3]; }

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%s weighs %d", name(number), weight(number));
}
