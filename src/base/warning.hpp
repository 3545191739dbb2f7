// Warnings: what the author of an update should know although the update goes on.
#pragma once

#include <string>

namespace moult::internal {

/// Warns in three places: the log, the report of the update that the calling thread carries out, and the terminal,
/// where `moult apply` and `moult check` print the report's warnings. In an update's entry function, outside of every
/// step, the command's reply takes the report's place. An update warns once with the same text. While the update has
/// the program stopped, the line in the log waits until the program runs again.
void warn(const std::string& text);

}  // namespace moult::internal
