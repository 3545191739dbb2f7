#include "types.hpp"

namespace next {
namespace {

struct Own {
  long one = 8, two = 8;
};

}  // namespace

int own_size() {
  const Own own;
  return static_cast<int>(own.one + own.two);
}

}  // namespace next
