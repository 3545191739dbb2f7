// Answers the questions of its standard input, a line each, by the function of a source that a test edits.
#include <cstdio>
#include <cstring>

#include "moult/listener.hpp"

void answer(const char* question, char* reply, unsigned long size);

int main() {
  const moult::Listener listener;
  std::puts("ready");
  std::fflush(stdout);
  char line[200];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    line[std::strcspn(line, "\n")] = '\0';
    char reply[200] = "";
    answer(line, reply, sizeof reply);
    std::puts(reply);
    std::fflush(stdout);
  }
}
