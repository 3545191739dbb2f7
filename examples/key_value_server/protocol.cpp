#include "protocol.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace key_value {
namespace {

constexpr std::size_t longest_line = 65536;
constexpr std::int64_t most_words = 1 << 20;
constexpr std::int64_t longest_word = 1 << 26;
constexpr std::string_view line_end = "\r\n";

ParsedRequest malformed(std::string error) {
  return {.state = ParsedRequest::State::malformed, .error = "ERR Protocol error: " + std::move(error)};
}

/// Goes through the input once, and remembers whether it was at its end or met what cannot be.
class Reader final {
 public:
  explicit Reader(std::string_view input) : input_(input) {}

  std::size_t position() const { return position_; }

  /// Up to a line's end, which may be a bare newline.
  std::optional<std::string_view> line() {
    const std::size_t end = input_.find('\n', position_);
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view found = input_.substr(position_, end - position_);
    if (found.ends_with('\r')) found.remove_suffix(1);
    position_ = end + 1;
    return found;
  }
  bool has(std::size_t size) const { return input_.size() - position_ >= size; }
  std::string_view take(std::size_t size) { return input_.substr(std::exchange(position_, position_ + size), size); }
  bool is_line_too_long() const { return has(longest_line); }

 private:
  std::string_view input_;
  std::size_t position_ = 0;
};

ParsedRequest without_line(const Reader& reader) {
  return reader.is_line_too_long() ? malformed("too big a line") : ParsedRequest{};
}

ParsedRequest parse_inline(Reader& reader) {
  const std::optional<std::string_view> line = reader.line();
  if (!line) return without_line(reader);
  ParsedRequest parsed{.state = ParsedRequest::State::complete, .length = reader.position()};
  for (std::size_t begin = 0; (begin = line->find_first_not_of(" \t", begin)) != std::string_view::npos;) {
    const std::size_t end = std::min(line->find_first_of(" \t", begin), line->size());
    parsed.request.words.push_back(line->substr(begin, end - begin));
    begin = end;
  }
  return parsed;
}

/// "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
ParsedRequest parse_array(Reader& reader) {
  const std::optional<std::string_view> head = reader.line();
  if (!head) return without_line(reader);
  const std::optional<std::int64_t> count = parse_integer(head->substr(1));
  if (!count || *count > most_words) return malformed("invalid multibulk length");
  ParsedRequest parsed{.state = ParsedRequest::State::complete};
  for (std::int64_t i = 0; i < *count; ++i) {
    const std::optional<std::string_view> size_line = reader.line();
    if (!size_line) return without_line(reader);
    if (!size_line->starts_with('$')) return malformed("expected '$'");
    const std::optional<std::int64_t> size = parse_integer(size_line->substr(1));
    if (!size || *size < 0 || *size > longest_word) return malformed("invalid bulk length");
    const auto length = static_cast<std::size_t>(*size);
    if (!reader.has(length + line_end.size())) return {};
    parsed.request.words.push_back(reader.take(length));
    if (reader.take(line_end.size()) != line_end) return malformed("a bulk string without its end");
  }
  parsed.length = reader.position();
  return parsed;
}

void append_bulk(std::string& out, std::string_view bytes) {
  out.append("$").append(std::to_string(bytes.size())).append(line_end).append(bytes).append(line_end);
}

void append_array(std::string& out, const std::vector<std::string_view>& strings) {
  out.append("*").append(std::to_string(strings.size())).append(line_end);
  for (const std::string_view string : strings) append_bulk(out, string);
}

}  // namespace

ParsedRequest parse_request(std::string_view input) {
  Reader reader(input);
  return input.starts_with('*') ? parse_array(reader) : parse_inline(reader);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void Replies::add_status(std::string_view text) { bytes_.append("+").append(text).append(line_end); }

void Replies::add_error(std::string_view text) { bytes_.append("-").append(text).append(line_end); }

void Replies::add_integer(std::int64_t number) { bytes_.append(":").append(std::to_string(number)).append(line_end); }

void Replies::add_bulk(std::string_view bytes) { append_bulk(bytes_, bytes); }

void Replies::add_null() { bytes_.append("$-1").append(line_end); }

void Replies::add_array(const std::vector<std::string_view>& strings) { append_array(bytes_, strings); }

std::string bytes_of(const Request& request) {
  std::string bytes;
  append_array(bytes, request.words);
  return bytes;
}

}  // namespace key_value
