#include "animals.hpp"
#include "types.hpp"

namespace app {

Dog::~Dog() = default;
int Dog::legs() const { return 4; }

int age_of_dog() { return Dog().age(); }

}  // namespace app
