// The program under test, in a process of its own, and what it says of its function and objects.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "allocation_plan.hpp"
#include "protocol/client.hpp"

namespace memory {

/// Runs of allocations that fail.
enum class Failing {
  one,          ///< a single allocation
  all_further,  ///< it and all that follow, until the request has ended
};

/// How a command reaches the program.
enum class Way { socket, tcp };

/// How the program begins.
struct Beginning {
  std::size_t objects = 1000;
  bool has_every_way = false;  ///< it takes commands from TCP and from a pipe, too
  /// Allocations fail from this one on while it makes its listeners; none if it is zero.
  std::int64_t position = 0;
  Failing failing = Failing::one;
};

class Program final {
 public:
  explicit Program(const Beginning& beginning = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// The reply's line. Nothing when the program closed the connection.
  std::optional<std::string> call(const moult::internal::Command& command, Way way = Way::socket);
  /// The same while allocations fail from the `position`-th on.
  std::optional<std::string> call_failing(const moult::internal::Command& command, std::int64_t position,
                                          Failing failing, Way way = Way::socket);
  /// The allocations of moult's threads in a call in which none fails.
  std::int64_t allocations_of(const moult::internal::Command& command, Way way = Way::socket);
  /// The allocations of moult's threads until now, or since the last count.
  std::int64_t allocations_made() const { return plan_->seen; }

  /// Writes a line into the program's pipe, and returns when moult's threads rest, as far as one can see. Returns how
  /// often they have allocated.
  std::int64_t write_to_pipe(const std::string& line, std::int64_t position = 0, Failing failing = Failing::one);

  /// Returns when no update waits or is being carried out. One whose command had no memory for its reply may be.
  void wait_for_updates();
  /// Memory is there again: the program makes the listeners that it could not make.
  void wait_for_listeners();

  /// From now on the program does not use its objects, until `use_objects`.
  void leave_objects();
  /// The program uses its objects, while allocations fail from the `position`-th on. Memory is there again when the
  /// first has failed, or when all objects were used.
  void use_objects(std::int64_t position, Failing failing);
  /// Returns when the program is short of everything but `left`, or of nothing any more.
  void make_short_of(Shortage shortage, std::int64_t left);
  void end_shortage() { make_short_of(Shortage::none, 0); }

  bool is_alive() const;
  /// How it ended.
  std::string end() const;

  struct State {
    std::int64_t answer = 0;
    std::int64_t old_objects = 0;
    std::int64_t new_objects = 0;
    std::int64_t wrong_objects = 0;
    bool operator==(const State&) const = default;
  };
  /// What the program sees in a round that begins after this call.
  State state() const;

 private:
  void connect();
  std::optional<std::string> call_over_tcp(const moult::internal::Command& command) const;
  void fail_from(std::int64_t position, Failing failing);
  void wait_until(const std::function<bool()>& is_so) const;

  std::filesystem::path folder_;
  AllocationPlan* plan_ = nullptr;
  pid_t pid_ = 0;
  mutable std::optional<int> end_;
  std::optional<moult::internal::Client> client_;
};

std::ostream& operator<<(std::ostream& stream, const Program::State& state);

}  // namespace memory
