#include "protocol/line_splitter.hpp"

namespace moult::internal {

void LineSplitter::feed(std::string_view bytes) {
  if (skipping_) {
    const std::size_t newline = bytes.find('\n');
    if (newline == std::string_view::npos) return;
    bytes.remove_prefix(newline + 1);
    skipping_ = false;
  }
  buffer_.append(bytes);
}

std::optional<Line> LineSplitter::next() {
  const std::size_t newline = buffer_.find('\n', scanned_);
  if (newline == std::string::npos) {
    scanned_ = buffer_.size();
    if (pending() > limit_) {
      skipping_ = true;
      begin_ = scanned_;
      forget_taken();
      return Line{.text = {}, .too_long = true};
    }
    forget_taken();
    return std::nullopt;
  }
  Line line;
  line.too_long = newline - begin_ > limit_;
  if (!line.too_long) line.text = buffer_.substr(begin_, newline - begin_);
  if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  begin_ = scanned_ = newline + 1;
  return line;
}

void LineSplitter::forget_taken() {
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
}

}  // namespace moult::internal
