// A place in a source file.
#pragma once

#include <string>

namespace moult::internal {

struct SourceLine {
  std::string file;
  int line = 0;
};

}  // namespace moult::internal
