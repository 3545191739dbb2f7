#include <cstdio>
#include <cstdlib>

static int start(const char* text) { return std::getenv("MOULT_NOT_SET") != nullptr ? 0 : std::atoi(text); }
int limit = start(std::getenv("PATH") != nullptr ? "4" : "5");

void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d", std::atoi(question) + limit);
}
