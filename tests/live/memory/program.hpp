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

class Program final {
 public:
  Program();
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// The reply's line. Nothing when the program closed the connection.
  std::optional<std::string> call(const moult::internal::Command& command);
  /// The same while allocations fail from the `position`-th on.
  std::optional<std::string> call_failing(const moult::internal::Command& command, std::int64_t position,
                                          Failing failing);
  /// The allocations of moult's threads in a call in which none fails.
  std::int64_t allocations_of(const moult::internal::Command& command);

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
