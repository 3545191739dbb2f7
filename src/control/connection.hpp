// One client: its bytes in, its bytes out, and what it waits for. Does no command itself.
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

/// Memory a client costs: one request of at most 1 MiB, one reply, and events up to this many bytes. A client that does
/// not read gets no further request served and no further event.
inline constexpr std::size_t enough_output_bytes = std::size_t{256} << 10;

class Connection final {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Connection(Fd socket) : socket_(std::move(socket)) {}

  /// One read of at most 64 KiB. What is read while the connection is closing is thrown away.
  void read_some();
  /// Reads until there is nothing left: only of a peer that is gone, so that it ends.
  void read_to_end();
  /// The next request, when one is whole and may be served now: none is in progress and the output is not full.
  std::optional<Line> next_line();
  void queue_line(std::string_view line);
  /// Sends what can be sent now.
  void flush();
  /// Serves no more: what is queued is still sent, then the other side is told.
  void close_after_output();
  /// The socket reported a hang-up: whoever asked is gone.
  void hang_up() noexcept { gone_ = true; }
  bool is_gone() const noexcept { return gone_; }

  Interest interest() const noexcept;
  bool has_enough_output() const noexcept { return pending_output() >= enough_output_bytes; }
  /// The client owes something: a request, or the reading of what it was told. A follower that knows everything owes
  /// nothing, and for a request in progress it is the program that does.
  bool keeps_us_waiting() const noexcept { return !busy && (!following || pending_output() > 0); }
  /// When the last bytes came or went.
  Clock::time_point last_moved() const noexcept { return last_moved_; }
  /// Nothing is left to be done for it.
  bool is_over() const noexcept;
  const Fd& socket() const noexcept { return socket_; }

  std::uint64_t key = 0;
  bool must_authenticate = false;
  bool busy = false;  ///< a request is in progress
  bool following = false;
  std::uint64_t last_event = 0;  ///< number of the last event told to it
  /// When it is dropped, whatever it does.
  std::optional<Clock::time_point> deadline;
  Interest registered{};
  bool is_registered = false;

 private:
  std::size_t pending_output() const noexcept { return output_.size() - sent_; }

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
