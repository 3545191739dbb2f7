#include "base/check.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace moult::internal {
namespace {

void put(const char* text) noexcept {
  // A short write cannot be helped: the process is about to end.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, text, std::strlen(text));
}

}  // namespace

void check_failed(const char* condition, const char* message, const char* file, int line) noexcept {
  char digits[12];
  char* digit = digits + sizeof digits;
  *--digit = '\0';
  do {
    *--digit = static_cast<char>('0' + line % 10);
    line /= 10;
  } while (line > 0);
  put("moult: ");
  put(file);
  put(":");
  put(digit);
  put(": check failed: ");
  put(condition);
  put(": ");
  put(message);
  put("\n");
  std::abort();
}

}  // namespace moult::internal
