namespace lookup {
[[gnu::noinline, gnu::used]] static int twice(int x) { return x + x; }
int call_twice_of_two(int x) { return twice(x); }
}  // namespace lookup
