#include "protocol/json_writer.hpp"

#include <algorithm>

#include "protocol/json_members.hpp"

namespace moult::internal {
namespace {

bool is_plain(char c) noexcept { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

}  // namespace

void JsonWriter::begin(char bracket) {
  text_ += bracket;
  is_first_ = true;
}

void JsonWriter::end(char bracket) {
  text_ += bracket;
  is_first_ = false;
}

void JsonWriter::separate() {
  if (!std::exchange(is_first_, false)) text_ += ',';
}

void JsonWriter::begin_member(std::string_view name) {
  separate();
  write(name);
  text_ += ':';
}

void JsonWriter::text_member(std::string_view name, std::string_view json) {
  begin_member(name);
  text_ += json;
}

void JsonWriter::write(std::string_view value) {
  if (!std::ranges::all_of(value, is_plain)) {
    text_ += to_line(Json(value));
    return;
  }
  text_ += '"';
  text_ += value;
  text_ += '"';
}

void JsonWriter::write(double value) { text_ += to_line(Json(value)); }

}  // namespace moult::internal
