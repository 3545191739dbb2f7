#include "animals.hpp"

namespace app {

Animal::~Animal() = default;
int Animal::legs() const { return 0; }

}  // namespace app
