cat >app.cpp <<'END'
#include <cstdio>

int answered = 40;
static char last[100] = "nothing";

static int count() {
  static int counter = 7;
  return ++counter;
}

void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%s after %s: %d %d", question, last, ++answered, count());
  std::snprintf(last, sizeof last, "%s", question);
}
END
