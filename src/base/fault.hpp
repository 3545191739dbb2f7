// Fault points: named places where a test makes the next step fail.
//
// Why: a failed update must leave no trace, but its causes are rare in a test run: no memory, no address space, a full
// disk. So every step that may fail is marked, in release builds too. An unarmed point costs one relaxed load and one
// branch that is never taken.
//
// How: a test lists fault_points() and arms one after the other. A program under test reads its environment:
// MOULT_FAULT=code.prepare.open_pages, or with :3 at the end for the third hit.
//
// Limits: names are "layer.operation.step". A point marks code that may throw, so a commit has none. A point must not
// be in an inline function or a template, because its record lies in a section of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace moult::internal {

enum class FaultKind {
  error,          ///< moult::Error (system)
  out_of_memory,  ///< std::bad_alloc
};

struct FaultPoint {
  const char* name;
  std::atomic<std::size_t> hits{};  ///< while they are counted
};

struct FaultOrder;
extern constinit std::atomic<FaultOrder*> fault_order;

/// Counts this hit, or throws if it is the requested one.
void reach_fault_point(FaultPoint& point);

/// Every point linked into this program or library, sorted, each name once.
std::vector<std::string_view> fault_points();

/// Makes the nth hit (1 is the first) of the named point throw, for as long as it lives. A process has one armed fault
/// at a time: it replaces an earlier one and the one from the environment. Hits of all threads count.
class ArmedFault final {
 public:
  /// Throws Error:
  /// not_found: there is no such point;
  /// invalid_argument: nth is 0.
  explicit ArmedFault(std::string_view name, std::size_t nth = 1, FaultKind kind = FaultKind::error);
  ~ArmedFault();
  ArmedFault(const ArmedFault&) = delete;
  ArmedFault& operator=(const ArmedFault&) = delete;

  bool fired() const noexcept;
};

/// Counts the hits of every point for as long as it lives, in place of an armed fault. Hits of all threads count.
class CountedHits final {
 public:
  CountedHits();
  ~CountedHits();
  CountedHits(const CountedHits&) = delete;
  CountedHits& operator=(const CountedHits&) = delete;

  std::size_t of(std::string_view name) const noexcept;
};

}  // namespace moult::internal

#define MOULT_FAULT(point_name)                                                                                      \
  do {                                                                                                               \
    [[gnu::section("moult_faults"), gnu::used]] static ::moult::internal::FaultPoint moult_fault_point{(point_name), \
                                                                                                       {}};          \
    if (::moult::internal::fault_order.load(std::memory_order_relaxed) != nullptr) [[unlikely]]                      \
      ::moult::internal::reach_fault_point(moult_fault_point);                                                       \
  } while (false)
