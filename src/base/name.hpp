// Names of updates and managers. People read them and type them again.
#pragma once

#include <string>
#include <string_view>

namespace moult::internal {

/// Throws Error (invalid_argument) if `name` is empty or holds control characters, which would reach a terminal or a
/// log unchanged. `what` begins the message: "an update's name".
void check_name(std::string_view what, const std::string& name);

}  // namespace moult::internal
