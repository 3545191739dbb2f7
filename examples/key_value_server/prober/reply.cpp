#include "reply.hpp"

#include <stdexcept>

#include "../protocol.hpp"

namespace key_value {
namespace {

constexpr std::string_view line_end = "\r\n";

std::int64_t number_in(std::string_view text) {
  const std::optional<std::int64_t> number = parse_integer(text);
  if (!number) throw std::runtime_error("the server sent a number that is none: " + std::string(text));
  return *number;
}

std::optional<Reply> parse_bulk(std::string_view input, std::size_t head, std::int64_t size) {
  if (size < 0) return Reply{.kind = Reply::Kind::null, .length = head};
  const auto length = static_cast<std::size_t>(size);
  if (input.size() < head + length + line_end.size()) return std::nullopt;
  return Reply{.kind = Reply::Kind::bulk,
               .text = std::string(input.substr(head, length)),
               .length = head + length + line_end.size()};
}

}  // namespace

std::optional<Reply> parse_reply(std::string_view input) {
  const std::size_t end = input.find(line_end);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = input.substr(0, end);
  const std::size_t length = end + line_end.size();
  const std::string_view text = line.substr(std::min<std::size_t>(1, line.size()));
  if (line.starts_with('+')) return Reply{.kind = Reply::Kind::status, .text = std::string(text), .length = length};
  if (line.starts_with('-')) return Reply{.kind = Reply::Kind::error, .text = std::string(text), .length = length};
  if (line.starts_with(':')) return Reply{.kind = Reply::Kind::integer, .number = number_in(text), .length = length};
  if (line.starts_with('$')) return parse_bulk(input, length, number_in(text));
  throw std::runtime_error("the server sent what is no reply: " + std::string(line));
}

std::string describe(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::status: return reply.text;
    case Reply::Kind::error: return "(error) " + reply.text;
    case Reply::Kind::integer: return "(integer) " + std::to_string(reply.number);
    case Reply::Kind::bulk: return '"' + reply.text + '"';
    case Reply::Kind::null: break;
  }
  return "(nil)";
}

}  // namespace key_value
