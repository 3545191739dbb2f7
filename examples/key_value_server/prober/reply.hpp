// Replies of the Redis protocol out of bytes, for a client. No I/O here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace key_value {

struct Reply {
  enum class Kind { status, error, integer, bulk, null };
  Kind kind = Kind::null;
  std::string text{};       ///< of a status, an error or a bulk string
  std::int64_t number = 0;  ///< an integer's
  std::size_t length = 0;   ///< in bytes, as it came

  bool is(Kind wanted, std::string_view words) const { return kind == wanted && text == words; }
  bool is(std::int64_t wanted) const { return kind == Kind::integer && number == wanted; }
};

/// The first reply in `input`; nothing when more bytes are needed. Throws std::runtime_error where that is none, or an
/// array, which this client never asks for.
std::optional<Reply> parse_reply(std::string_view input);

/// As people write it: "OK", "(error) ERR ...", "(integer) 1", "\"text\"", "(nil)".
std::string describe(const Reply& reply);

}  // namespace key_value
