// Inlined functions. Includes no header: one of them has the name of a function of the C library.
static int toascii(int x) {
  asm volatile("" : "+r"(x));
  return x + 10;
}

extern "C" int lookup_melted(int x) { return x * 3; }

namespace lookup {

int holds_toascii(int x) { return toascii(x); }

int holds_melted() { return lookup_melted(2); }

}  // namespace lookup
