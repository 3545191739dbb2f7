#include "shop.hpp"

int Shelf::capacity() const { return 10; }
int Shelf::room() const { return capacity(); }

int price(int pieces) { return pieces * 3; }
int total(int pieces) { return price(pieces); }

[[gnu::noinline]] int tax(int pieces) { return pieces; }
// Keeps both numbers over the call, in registers that tax() leaves alone if the compiler looks at it.
int bill(int pieces, int goods) {
  const int due = tax(pieces);
  return goods * 7 + due + pieces;
}

[[gnu::noinline]] int twin(int pieces) { return pieces; }
