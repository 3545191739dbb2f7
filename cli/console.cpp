#include "console.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/visible_text.hpp"

namespace moult::internal::cli {
namespace {

bool wants_colours() {
  static const bool wanted = [] {
    const char* const no_color = std::getenv("NO_COLOR");
    return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
  }();
  return wanted;
}

const char* escape_of(Colour colour) noexcept {
  switch (colour) {
    case Colour::good: return "\033[32m";
    case Colour::bad: return "\033[31m";
    case Colour::waiting: return "\033[33m";
    case Colour::faint: return "\033[2m";
    case Colour::strong: return "\033[1m";
    case Colour::plain: break;
  }
  return "";
}

/// The size of a control character in JSON's spelling ("\\u001b", "\\r"), except newline and tab; 0 for other text.
std::size_t size_of_escaped_control(std::string_view escaped) {
  for (const std::string_view escape : {"\\b", "\\f", "\\r"})
    if (escaped.starts_with(escape)) return escape.size();
  constexpr std::size_t size = 6;
  if (escaped.size() < size || !(escaped.starts_with("\\u00") || escaped.starts_with("\\U00"))) return 0;
  const char high = escaped[4];
  const bool is_delete = high == '7' && (escaped[5] == 'f' || escaped[5] == 'F');
  return high == '0' || high == '1' || high == '8' || high == '9' || is_delete ? size : 0;
}

/// U+0080 to U+009F are control characters too: 0xC2 and this byte.
bool is_second_of_control(char second) noexcept {
  const auto byte = static_cast<unsigned char>(second);
  return byte >= 0x80 && byte < 0xA0;
}

std::string hex_of(char byte) {
  std::array<char, 3> text{};
  std::snprintf(text.data(), text.size(), "%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  return text.data();
}

/// Characters, not bytes: two-byte signs such as µ must not shift a column.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char each) { return (static_cast<unsigned char>(each) & 0xC0) != 0x80; }));
}

}  // namespace

std::string printable(std::string_view json) {
  std::string text;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const auto byte = static_cast<unsigned char>(json[at]);
    if (const std::size_t size = size_of_escaped_control(json.substr(at))) {
      text.append("\\").append(json.substr(at, size));
      at += size - 1;
    } else if (byte == '\\' && at + 1 < json.size()) {
      text.append(json.substr(at++, 2));
    } else if (byte == 0x7F || (byte == 0xC2 && at + 1 < json.size() && is_second_of_control(json[at + 1]))) {
      text.append("\\\\u00").append(hex_of(byte == 0x7F ? json[at] : json[++at]));
    } else {
      text += json[at];
    }
  }
  return text;
}

std::string paint(Colour colour, std::string_view text) {
  if (colour == Colour::plain || !wants_colours()) return std::string(text);
  return escape_of(colour) + std::string(text) + "\033[0m";
}

Colour colour_of(UpdateState state) noexcept {
  switch (state) {
    case UpdateState::applied: return Colour::good;
    case UpdateState::refused:
    case UpdateState::failed:
    case UpdateState::aborted: return Colour::bad;
    case UpdateState::queued:
    case UpdateState::active: return Colour::waiting;
    case UpdateState::rolled_back: return Colour::faint;
  }
  return Colour::plain;
}

std::string to_text(std::chrono::nanoseconds time) {
  struct Unit {
    double nanoseconds;
    const char* name;
  };
  constexpr std::array<Unit, 4> units{{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}}};
  const auto count = static_cast<double>(time.count());
  const Unit* const unit =
      std::ranges::find_if(units, [&](const Unit& each) { return count >= each.nanoseconds || each.nanoseconds <= 1; });
  std::array<char, 40> text{};
  const double value = count / unit->nanoseconds;
  std::snprintf(text.data(), text.size(), value < 9.95 && unit->nanoseconds > 1 ? "%.1f %s" : "%.0f %s", value,
                unit->name);
  return text.data();
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  static constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1023.5 && unit + 1 < units.size(); size /= 1024) ++unit;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 || size >= 9.95 ? "%.0f %s" : "%.1f %s", size, units[unit]);
  return text.data();
}

std::string count_text(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string join(const std::vector<std::string>& texts, std::string_view separator) {
  std::string all;
  for (const std::string& text : texts) {
    if (&text != &texts.front()) all += separator;
    all += text;
  }
  return all;
}

std::string to_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], width_of(row[column]));
  }
  std::string table;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      line += row[column];
      if (column + 1 < row.size()) line += std::string(widths[column] - width_of(row[column]) + 2, ' ');
    }
    if (&row != &rows.front()) table += '\n';
    table += &row == &rows.front() ? paint(Colour::faint, line) : line;
  }
  return table;
}

void print(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void complain(std::string_view line) {
  const std::string whole = "moult: " + visible(line) + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

}  // namespace moult::internal::cli
