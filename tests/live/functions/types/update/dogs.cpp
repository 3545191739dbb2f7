#include "animals.hpp"
#include "types.hpp"

namespace next {

int age_of_dog() { return app::Dog().age() + app::Dog().legs(); }

}  // namespace next
