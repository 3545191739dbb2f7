// The listener's thread: every connection, one event loop.
//
// The loop never waits for a client, a file or an update: sockets do not block, what takes time goes to a worker, and a
// client that does not read stops being served rather than being buffered for. A connection's requests are answered in
// turn; while one is in progress its socket is not read, so what a client sends ahead waits in the client.
//
// Followers of the log have no queue of their own: the log keeps its last events, a follower remembers the number of
// the last one it was told, and a gap in the numbers is how it learns that it was too slow.
//
// Commands that read debug information are carried out one after the other, and after each the allocator gives back
// what it holds: each takes tens of megabytes in a large program, twenty at once took twenty times that, and what is
// freed in the arena of a thread that has ended would stay there. The allocator does that for the whole program, whose
// own allocations may wait for a moment.
//
// Connections are limited in number. When there are as many as may be, a new one takes the place of the one that has
// kept the listener waiting for longest, so that nobody can lock others out by doing nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/guarded.hpp"
#include "control/backend.hpp"
#include "control/connection.hpp"
#include "control/workers.hpp"
#include "platform/event_poll.hpp"
#include "platform/sockets.hpp"

namespace moult::internal {

class Server final {
 public:
  struct Options {
    Fd local;  ///< a listening Unix socket: peers of the same user or root are heard
    Fd tcp;    ///< a listening TCP socket, or none: `token` must come first
    std::string token;
    std::size_t max_connections = 64;
    /// Of those, TCP connections that have not yet sent the token, and how long they may take.
    std::size_t max_strangers = 8;
    std::chrono::milliseconds stranger_timeout{5000};
  };

  /// Throws Error (system).
  Server(Backend backend, Options options);

  /// Serves until a stop is asked for; then ends the waiting of requests in progress, joins their threads and answers
  /// them as far as their clients read at once. Call it once. Does not throw.
  void serve(const std::stop_token& stop) noexcept;

 private:
  struct Completion {
    std::uint64_t key;
    std::string line;
    bool was_reading;
  };
  struct Task {
    std::uint64_t key;
    Request request;
  };
  using Connections = std::map<std::uint64_t, Connection>;

  void run(const std::stop_token& stop);
  void handle(const Ready& ready);
  void dispatch(const Ready& ready);
  void accept_all(const Fd& listening, bool is_tcp);
  void admit(Fd socket, bool is_tcp);
  std::optional<Failure> objection_to(const Fd& socket, bool is_tcp) const;
  bool make_room(bool is_tcp);
  void handle_client(Connection& client, const Ready& ready);
  void advance(Connection& client);
  void take(Connection& client, const Line& line);
  bool authenticate(Connection& client, const Request& request);
  void start(Connection& client, const Request& request);
  void start(const Task& task);
  void carry_out(const Task& task, const std::stop_token& stop);
  void complete(const Task& task, std::string line);
  void start_next_reader();
  void turn_readers_away();
  void follow(Connection& client, std::uint64_t after);
  void pump(Connection& client);
  bool queue_events(Connection& client);
  void pump_followers();
  void deliver_completions();
  void settle(Connection& client);
  void drop_late();
  void drop(std::uint64_t key) noexcept;
  std::optional<std::chrono::milliseconds> time_to_next_deadline() const;

  Backend backend_;
  Options options_;
  EventPoll poll_;
  Waker waker_;
  SpareDescriptor spare_;
  Connections connections_;
  std::uint64_t next_key_;
  std::atomic<bool> has_followers_ = false;
  bool is_reading_ = false;   ///< a command that reads debug information is under way
  std::deque<Task> to_read_;  ///< those that wait for its end
  Guarded<std::vector<Completion>> completions_;
  Workers workers_;
};

/// Takes a time that depends on the length of `given` alone, so that the token cannot be guessed byte by byte.
bool is_token(std::string_view given, std::string_view token) noexcept;

}  // namespace moult::internal
