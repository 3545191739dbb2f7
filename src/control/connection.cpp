#include "control/connection.hpp"

#include <array>
#include <utility>

#include "platform/sockets.hpp"

namespace moult::internal {

void Connection::read_some() {
  std::array<char, 65536> bytes;
  const TransferResult result = read_from(socket_, bytes.data(), bytes.size());
  if (result.transfer == Transfer::ended) input_ended_ = true;
  if (result.transfer == Transfer::moved) last_moved_ = Clock::now();
  if (result.transfer != Transfer::moved || closing_ || following) return;
  splitter_.feed({bytes.data(), result.bytes});
  lines_left_ = true;
}

void Connection::read_to_end() {
  while (!input_ended_) read_some();
}

std::optional<Line> Connection::next_line() {
  if (busy || following || closing_ || has_enough_output()) return std::nullopt;
  std::optional<Line> line = splitter_.next();
  lines_left_ = line.has_value();
  return line;
}

void Connection::queue_line(std::string_view line) {
  if (gone_) return;
  output_.reserve(output_.size() + line.size() + 1);  // all of the line or nothing
  output_.append(line);
  output_ += '\n';
}

void Connection::flush() {
  while (!gone_ && pending_output() > 0) {
    const TransferResult result = send_to(socket_, output_.data() + sent_, pending_output());
    if (result.transfer == Transfer::would_block) return;
    if (result.transfer == Transfer::ended) gone_ = true;
    last_moved_ = Clock::now();
    sent_ += result.bytes;
  }
  output_.clear();
  sent_ = 0;
  if (closing_ && !gone_) end_sending(socket_);
}

void Connection::close_after_output() {
  closing_ = true;
  following = false;
  // Gives the client time to read the reply: closing a TCP socket with unread input would discard it.
  deadline = Clock::now() + std::chrono::seconds(5);
}

Interest Connection::interest() const noexcept {
  const bool wants_more = closing_ || (!busy && !has_enough_output() && !lines_left_);
  return {.read = !gone_ && !input_ended_ && wants_more, .write = !gone_ && pending_output() > 0};
}

bool Connection::is_over() const noexcept {
  if (busy) return false;  // its reply cannot be delivered yet, and its worker counts
  if (gone_) return following || closing_ || !lines_left_;
  if (closing_) return input_ended_;
  return input_ended_ && !following && !lines_left_ && pending_output() == 0;
}

}  // namespace moult::internal
