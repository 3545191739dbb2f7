// Output: colours on a terminal only, times in readable units.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "moult/update.hpp"

namespace moult::internal::cli {

enum class Colour { plain, good, bad, waiting, faint, strong };

/// `text` in colour when standard output is a terminal and NO_COLOR is not set.
std::string paint(Colour colour, std::string_view text);
Colour colour_of(UpdateState state) noexcept;

/// "850 ns", "43 µs", "1.2 ms", "18 ms", "2.5 s".
std::string to_text(std::chrono::nanoseconds time);
/// "900 B", "64 KiB", "1.5 MiB", "2.0 GiB".
std::string size_text(std::uint64_t bytes);
/// "1 thread", "3 threads".
std::string count_text(std::size_t count, std::string_view noun);
/// "a, b, c".
std::string join(const std::vector<std::string>& texts, std::string_view separator = ", ");

/// Rows as columns; the first row is the heading. The last column is not padded.
std::string to_table(const std::vector<std::vector<std::string>>& rows);

/// A line of JSON with the control characters in its texts made visible ("\\u001b"), except newlines and tabs: the name
/// of a program, a thread or an update must not control the terminal.
std::string printable(std::string_view json);

/// Prints a line on standard output, and flushes it.
void print(std::string_view line);
/// Prints a line on standard error, with "moult: " in front and control characters spelled out.
void complain(std::string_view line);

}  // namespace moult::internal::cli
