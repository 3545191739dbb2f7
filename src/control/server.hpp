// The listener's thread: one event loop for every connection.
//
// The loop never waits for a client, a file or an update. Sockets do not block, workers run slow commands, and a client
// that does not read is not served, instead of having its output buffered. A connection's requests are answered in
// order. While one is in progress its socket is not read, so input sent ahead waits in the client.
//
// Followers of the log have no queue of their own. The log keeps its last events, and a follower remembers the number
// of the last one it received; a gap in the numbers shows that it was too slow.
//
// Commands that read debug information run one after the other, and after each the allocator gives back its free
// memory. Each takes tens of megabytes in a large program, and twenty at once took twenty times that. Memory freed in
// the arena of an ended thread would stay there. Giving back affects the whole program, whose allocations may wait for
// a moment.
//
// The number of connections is limited. At the limit a new connection replaces the one that has kept the listener
// waiting longest, so no client can lock others out by being idle. Every user of the machine can connect to TCP. So
// there the oldest connection without the token gives way to a new one, and a user's wrong token delays only that
// user's next try. An address would be no name for a peer: all of 127.0.0.0/8 is everybody's.
//
// A lack of memory costs a client its connection at most, and never the loop. What a worker needs to answer is made
// before the worker starts.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
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
    PathSocket local{};  ///< a listening Unix socket, for peers of the same user and root
    Fd tcp{};            ///< a listening TCP socket, or none; clients send `token` first
    std::string token{};
    std::size_t max_connections = 64;
    /// The number of TCP connections that have not sent the token, and the time they have for it.
    std::size_t max_strangers = 8;
    std::chrono::milliseconds stranger_timeout{5000};
    std::chrono::milliseconds wrong_token_delay{1000};
  };

  /// Throws Error (system) and std::bad_alloc.
  Server(Backend backend, Options options);

  /// Serves until a stop request, or until the program has closed one of the server's own descriptors, of which the log
  /// is warned. Then ends the waits of requests in progress, joins their threads, answers them as far as their clients
  /// read at once, and closes the sockets. Call it once. Does not throw.
  void serve(const std::stop_token& stop) noexcept;

 private:
  /// A line for a client from a worker's thread: the reply, or a notice before it.
  struct Completion {
    std::uint64_t key;
    std::string line;
    bool was_reading = false;
    bool is_notice = false;
  };
  /// A request that a worker carries out. Its completion is made beforehand, with the reply for a lack of memory, so
  /// that a worker can always answer.
  struct Task {
    Request request;
    std::list<Completion> completion;  ///< one, until the task is complete
  };
  using TaskPointer = std::shared_ptr<Task>;
  using Clock = Connection::Clock;
  /// The user of a TCP connection. All those that cannot be found out count as one.
  using Peer = std::optional<uid_t>;
  /// A token that waits until its peer may try again.
  struct HeldTry {
    std::uint64_t key;
    Request request;
    Peer peer;
  };
  using Connections = std::map<std::uint64_t, Connection>;

  void run(const std::stop_token& stop);
  bool go_on(const std::stop_token& stop) noexcept;
  bool serve_once(const std::stop_token& stop);
  void handle(const Ready& ready);
  void dispatch(const Ready& ready);
  void accept_all(const Fd& listening, bool is_tcp);
  void admit(Fd socket, bool is_tcp);
  std::optional<Failure> objection_to(const Fd& socket, bool is_tcp) const;
  bool make_room(bool is_tcp);
  void make_room_for_stranger();
  void handle_client(Connection& client, const Ready& ready);
  void advance(Connection& client);
  void take(Connection& client, const Line& line);
  void take(Connection& client, const Request& request);
  bool authenticate(Connection& client, const Request& request);
  bool hold(Connection& client, const Request& request);
  void resume_held();
  void start(Connection& client, const Request& request);
  void start(const TaskPointer& task) noexcept;
  void carry_out(Task& task, const std::stop_token& stop) noexcept;
  void fail(Task& task, ErrorCode code, std::initializer_list<const char*> words) noexcept;
  void complete(Task& task) noexcept;
  void send_notice(std::uint64_t key, const std::string& notice) noexcept;
  void start_next_reader() noexcept;
  void turn_readers_away() noexcept;
  void follow(Connection& client, std::uint64_t after);
  void pump(Connection& client);
  bool queue_events(Connection& client);
  void pump_followers();
  void deliver_completions() noexcept;
  void deliver(const Completion& completion) noexcept;
  void settle(Connection& client);
  static bool may_be_late(const Connection& client) noexcept;
  void drop_late();
  void drop(std::uint64_t key) noexcept;
  void drop_without_memory(std::uint64_t key) noexcept;
  std::optional<std::chrono::milliseconds> time_to_next_deadline() const;

  Backend backend_;
  Options options_;
  EventPoll poll_;
  Waker waker_;
  SpareDescriptor spare_;
  Connections connections_;
  std::uint64_t next_key_;
  std::atomic<bool> has_followers_ = false;
  bool is_reading_ = false;                       ///< a command that reads debug information is running
  std::deque<TaskPointer> to_read_;               ///< such commands that wait for its end
  std::map<Peer, Clock::time_point> next_tries_;  ///< of peers that gave a wrong token lately
  std::vector<HeldTry> held_;
  Guarded<std::list<Completion>> completions_;
  Workers workers_;
  std::shared_ptr<void> subscription_;  ///< last: it goes first
};

/// Checks the secret of TCP connections. The time depends on the length of `given` alone, so the token cannot be
/// guessed byte by byte.
bool is_token(std::string_view given, std::string_view token) noexcept;

}  // namespace moult::internal
