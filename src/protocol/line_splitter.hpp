// Cuts a stream of bytes into lines and never keeps more than a line's limit.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace moult::internal {

/// The longest request, without the newline.
inline constexpr std::size_t max_request_bytes = std::size_t{1} << 20;
/// The longest reply that a client reads: a thousand deep stacks take some megabytes.
inline constexpr std::size_t max_reply_bytes = std::size_t{64} << 20;

struct Line {
  std::string text;       ///< without "\n" or "\r\n"
  bool too_long = false;  ///< the line exceeded the limit and was discarded
};

class LineSplitter final {
 public:
  explicit LineSplitter(std::size_t limit = max_request_bytes) : limit_(limit) {}

  /// Call next() until it returns nothing before the next feed: fed bytes are kept until then.
  void feed(std::string_view bytes);
  /// The next whole line. A line that is too long is returned once, as soon as that is known, and skipped to its end.
  std::optional<Line> next();
  /// The number of bytes that next() has not returned yet.
  std::size_t pending() const noexcept { return buffer_.size() - begin_; }

 private:
  void forget_taken();

  std::size_t limit_;
  std::string buffer_;
  std::size_t begin_ = 0;    ///< where the next line begins
  std::size_t scanned_ = 0;  ///< no newline between begin_ and here
  bool skipping_ = false;    ///< inside a line that is too long
};

}  // namespace moult::internal
