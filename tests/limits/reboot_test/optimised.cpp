#include "optimised.hpp"

namespace moult::limits_reboot {

volatile int sink = 0;

#if defined(__clang__)
[[gnu::noinline]]
#else
[[gnu::noipa]]
#endif
int forgetting(int turns) {
  unsigned sum = 0;
  for (int turn = 0; turn < turns && !is_over(); ++turn) {
    const int forgotten = static_cast<int>(static_cast<unsigned>(turn) * static_cast<unsigned>(turns) % 1000U);
    sink = forgotten;
    pass_point();
    sum += static_cast<unsigned>(sink);
  }
  return static_cast<int>(sum);
}

}  // namespace moult::limits_reboot
