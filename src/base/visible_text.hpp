// Text from outside for a log or a terminal: it must not control either.
#pragma once

#include <string>
#include <string_view>

namespace moult::internal {

/// `text` with its control characters spelled out ("\u001b"), except newlines and tabs.
std::string visible(std::string_view text);

}  // namespace moult::internal
