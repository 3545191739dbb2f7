#include "types.hpp"

namespace app {
namespace {

struct Own {
  int one = 4;
};

}  // namespace

int own_size() { return Own().one; }

}  // namespace app
