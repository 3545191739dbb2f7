#include "optimised.hpp"

namespace moult::limits_reboot {

volatile int sink = 0;

#if defined(__clang__)
[[gnu::noinline]]
#else
[[gnu::noipa]]
#endif
int forgetting(int turns) {
  int sum = 0;
  for (int turn = 0; turn < turns && !is_over(); ++turn) {
    const int forgotten = turn * turns + 7;
    sink = forgotten;
    pass_point();
    sum += sink;
  }
  return sum;
}

}  // namespace moult::limits_reboot
