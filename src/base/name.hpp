// Names that are shown to people and typed by them again: of updates and managers.
#pragma once

#include <string>
#include <string_view>

namespace moult::internal {

/// Throws Error (invalid_argument) when `name` is empty or holds control characters, which would reach a terminal or a
/// log as they are. `what` says whose name it is.
void check_name(std::string_view what, const std::string& name);

}  // namespace moult::internal
