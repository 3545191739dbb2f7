#include <cstdio>
#include <cstdlib>

int total = 5;
static int calls = 1;
namespace {
int hidden = 2;
}
namespace app {
namespace {
int hidden = 3;
}
}
static thread_local int of_thread = 7;
thread_local int of_every_source = 11;

static int start() { return std::atoi("100"); }

static int counted() {
  static int counter = start();
  return ++counter;
}

static int counted_too() {
  static int counter = 1000;
  return counter += 2;
}

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  total += number;
  ++calls;
  hidden += 10 * number;
  app::hidden += 100 * number;
  of_thread += number;
  of_every_source += number;
  std::snprintf(reply, size, "%d %d %d %d %d %d %d %d", total, calls, hidden, app::hidden, of_thread, of_every_source,
                counted(), counted_too());
}
