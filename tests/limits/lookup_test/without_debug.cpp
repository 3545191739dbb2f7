// Compiled without debug information.
namespace lookup {

[[gnu::noinline]] int undescribed(int x) { return x * 7 + 1; }

}  // namespace lookup
