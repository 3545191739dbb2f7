// A connection to one client: its input, its output, and its state. Runs no command itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "platform/event_poll.hpp"
#include "protocol/line_splitter.hpp"

namespace moult::internal {

/// A client's memory: one request of at most 1 MiB, one reply, and events up to this many bytes. A client that does not
/// read gets no further request served and no further event.
inline constexpr std::size_t enough_output_bytes = std::size_t{256} << 10;

class Connection final {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Connection(Fd socket) : socket_(std::move(socket)) {}

  /// Reads once, at most 64 KiB. Discards input while the connection is closing.
  void read_some();
  /// Reads to the end: only from a peer that is gone, so that there is an end.
  void read_to_end();
  /// The next complete request, if it may be served now: no other is in progress, and the output has room.
  std::optional<Line> next_line();
  void queue_line(std::string_view line);
  /// Sends as much as the socket takes now.
  void flush();
  /// Serves no more requests. Sends the queued output, then closes its side.
  void close_after_output();
  /// The socket reported a hang-up: the client is gone.
  void hang_up() noexcept { gone_ = true; }
  bool is_gone() const noexcept { return gone_; }

  Interest interest() const noexcept;
  std::size_t pending_output() const noexcept { return output_.size() - sent_; }
  bool has_enough_output() const noexcept { return pending_output() >= enough_output_bytes; }
  /// True when the client is due: to send a request, or to read its output. False for a follower that has every event,
  /// and while the program works on a request.
  bool keeps_us_waiting() const noexcept { return !busy && (!following || pending_output() > 0); }
  /// The time of the last input or output.
  Clock::time_point last_moved() const noexcept { return last_moved_; }
  /// True when the connection has nothing left to do.
  bool is_over() const noexcept;
  const Fd& socket() const noexcept { return socket_; }

  std::uint64_t key = 0;
  bool must_authenticate = false;
  bool busy = false;  ///< a request is in progress
  bool following = false;
  std::uint64_t last_event = 0;  ///< number of the last event sent to it
  /// Time at which the connection is dropped in any case.
  std::optional<Clock::time_point> deadline;
  Interest registered{};
  bool is_registered = false;

 private:
  Fd socket_;
  LineSplitter splitter_;
  std::string output_;
  std::size_t sent_ = 0;
  Clock::time_point last_moved_ = Clock::now();
  bool input_ended_ = false;
  bool closing_ = false;
  bool gone_ = false;
  bool lines_left_ = false;
};

}  // namespace moult::internal
