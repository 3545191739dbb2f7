// A part of the program that is compiled without debug information, as a library of somebody else's may be.
int undescribed(int x);
[[gnu::noinline, gnu::used]] static int answer() { return 0; }  // not the program's answer(), which updates redefine
[[gnu::noinline, gnu::used]] int undescribed(int x) { return x * 7 + 1; }
