// What the program lacks: memory that the test shares with it.
#pragma once

#include <atomic>
#include <cstdint>

namespace memory {

/// The file with the plan, for the preloaded library and for the program.
inline constexpr const char* plan_variable = "ALLOCATION_PLAN";
/// How many objects the program makes.
inline constexpr const char* objects_variable = "OBJECTS";
/// Of the program's listeners on TCP.
inline constexpr const char* token = "sixteen characters";

/// What the program's main thread uses up, but for a number.
enum class Shortage : std::int64_t { none, mappings, address_space };

/// Begins with zeros: nothing fails.
struct AllocationPlan {
  /// Allocations of moult's threads since the test set this to zero.
  std::atomic<std::int64_t> seen;
  /// The first one that fails, counted from 1, and the last. None if `first` is zero.
  std::atomic<std::int64_t> first;
  std::atomic<std::int64_t> last;
  std::atomic<std::int64_t> failed;  ///< how many have failed

  std::atomic<Shortage> shortage;
  std::atomic<std::int64_t> left;             ///< mappings, or bytes of address space
  std::atomic<std::int64_t> shortages;        ///< the test counts each that it wants,
  std::atomic<std::int64_t> shortages_begun;  ///< and the program each that it has made

  std::atomic<bool> has_every_way;        ///< the program takes commands from TCP and from a pipe, too
  std::atomic<std::int64_t> port;         ///< of the program's listener; zero until it listens on TCP
  std::atomic<bool> is_without_listener;  ///< a listener could not be made, and is tried again when nothing fails

  std::atomic<bool> is_still;    ///< the program must not use its objects,
  std::atomic<bool> is_resting;  ///< and does not

  // What the program's own thread sees, round after round.
  std::atomic<std::int64_t> rounds;
  std::atomic<std::int64_t> answer;
  std::atomic<std::int64_t> old_objects;
  std::atomic<std::int64_t> new_objects;
  std::atomic<std::int64_t> wrong_objects;  ///< neither old nor new
};

/// Maps the plan that `variable` names. Null without one.
AllocationPlan* map_plan(const char* path) noexcept;

}  // namespace memory
