// A static function that another file has too.
namespace lookup {
[[gnu::noinline, gnu::used]] static int twice(int x) { return x * 2; }
int call_twice_of_one(int x) { return twice(x); }
}  // namespace lookup
