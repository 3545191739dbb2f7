#include "base/name.hpp"

#include <algorithm>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

bool is_control(char sign) noexcept {
  const auto byte = static_cast<unsigned char>(sign);
  return byte < 0x20 || byte == 0x7F;
}

}  // namespace

void check_name(std::string_view what, const std::string& name) {
  if (name.empty()) throw Error(ErrorCode::invalid_argument, std::string(what) + " must not be empty");
  if (std::ranges::any_of(name, is_control))
    throw Error(ErrorCode::invalid_argument, std::string(what) + " must not hold control characters");
}

}  // namespace moult::internal
