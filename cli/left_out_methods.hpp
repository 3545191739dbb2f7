// Methods of an update that the compiler has left out.
#pragma once

#include <string>

namespace moult::internal::cli {

/// True when a class that the update redefines another one as declares methods without code. The compiler leaves out a
/// method that is defined inside of its class and that nothing in the update calls, and the program's calls could not
/// be redirected to it.
bool lacks_methods(const std::string& update);

}  // namespace moult::internal::cli
