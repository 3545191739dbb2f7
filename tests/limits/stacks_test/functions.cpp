#include "functions.hpp"

namespace subject {

volatile int source = 4;
volatile int sink = 0;

const char* const functions_file = __FILE__;

[[gnu::noinline]] static int opaque() { return source + 1; }

extern const int forget_line = __LINE__ + 4;
[[gnu::noinline]] void forget(Look look) {
  int gone = opaque();
  sink = gone;
  look();
  sink = 0;
}

[[gnu::noinline]] void keep(Look look) {
  volatile int kept = 1;
  look();
  sink = kept;
}

[[gnu::noinline]] void scoped(Look look) {
  look();
  {
    volatile int inside = source;
    sink = inside;
    sink = opaque() + inside;
  }
}

static int copied(int number) {
  int doubled = number * 2 + source;
  sink = doubled;
  return doubled;
}

static int (*volatile keep_copied)(int) = copied;

moult::AnyFunction copied_function() {
  sink = copied(source);
  return moult::AnyFunction(keep_copied);
}

[[gnu::noinline]] int first_callback() { return sink + 1; }
[[gnu::noinline]] int second_callback() { return sink + 2; }
extern const Callback read_only_callback = first_callback;
Callback writable_callback = first_callback;

}  // namespace subject
