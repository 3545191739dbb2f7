#include "control/token.hpp"

namespace moult::internal {

bool is_token(std::string_view given, std::string_view token) noexcept {
  if (token.empty()) return false;
  volatile unsigned difference = given.size() == token.size() ? 0u : 1u;
  for (std::size_t each = 0; each < given.size(); ++each)
    difference = difference | static_cast<unsigned char>(given[each] ^ token[each % token.size()]);
  return difference == 0;
}

}  // namespace moult::internal
