#pragma once

template <class Number>
[[gnu::noinline]] Number scaled(Number number) {
  static Number calls = 0;
  calls += 1;
  return number * 3 + calls;
}
struct Counter {
  [[gnu::noinline]] int next() {
    count += 1;
    return count;
  }
  int count = 0;
};
int other(int number);
