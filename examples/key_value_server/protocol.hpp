// The Redis protocol (RESP 2) as values: requests out of bytes, replies into bytes. No I/O here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace key_value {

/// The words lie in the input that they were parsed from.
struct Request {
  std::vector<std::string_view> words;  ///< the command's name first
};

struct ParsedRequest {
  enum class State {
    complete,
    incomplete,  ///< more bytes are needed
    malformed,   ///< nothing that follows can be understood
  };
  State state = State::incomplete;
  Request request{};       ///< complete: without words for an empty line
  std::size_t length = 0;  ///< complete: the bytes that the request has
  std::string error{};     ///< malformed: why
};

/// The first request in `input`: an array of bulk strings, or a line of words between spaces.
ParsedRequest parse_request(std::string_view input);

/// A decimal number and nothing else, as commands take it.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// Replies, as many as there were requests, one after the other.
class Replies final {
 public:
  void add_status(std::string_view text);
  /// `text` begins with a code word: "ERR no such key".
  void add_error(std::string_view text);
  void add_integer(std::int64_t number);
  void add_bulk(std::string_view bytes);
  void add_null();
  void add_array(const std::vector<std::string_view>& strings);

  const std::string& bytes() const noexcept { return bytes_; }
  void clear() noexcept { bytes_.clear(); }

 private:
  std::string bytes_;
};

/// A request as a client sends it.
std::string bytes_of(const Request& request);

}  // namespace key_value
