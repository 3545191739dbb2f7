// Fault points: named places where a test makes the next step fail.
//
// "An update that fails leaves no trace" is a promise about failures that do not happen by themselves: no memory, no
// address space, a full disk. So each step that may fail is marked, always, also in release builds: unarmed it costs
// one relaxed load and a branch that is never taken. A test goes through fault_points() and arms one after the other; a
// program under test is told by its environment: MOULT_FAULT=code.prepare.open_pages, or :3 behind it for the third
// hit.
//
// Names are "layer.operation.step". A point marks code that may throw: there is none in a commit. It must not stand in
// an inline function or a template (its record lies in a section of its own).
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
};

struct FaultOrder;
extern constinit std::atomic<FaultOrder*> fault_order;

/// Throws if this hit is the one that was ordered.
void reach_fault_point(const FaultPoint& point);

/// Every point linked into this program or library, sorted, each name once.
std::vector<std::string_view> fault_points();

/// While it lives, the nth hit (1 is the first) of the named point throws. One at a time in a process: it replaces an
/// earlier one and what the environment ordered. Hits in every thread count.
class ArmedFault final {
 public:
  /// Throws Error: not_found when there is no such point, invalid_argument when nth is 0.
  explicit ArmedFault(std::string_view name, std::size_t nth = 1, FaultKind kind = FaultKind::error);
  ~ArmedFault();
  ArmedFault(const ArmedFault&) = delete;
  ArmedFault& operator=(const ArmedFault&) = delete;

  bool fired() const noexcept;
};

}  // namespace moult::internal

#define MOULT_FAULT(point_name)                                                                                       \
  do {                                                                                                                \
    [[gnu::section("moult_faults"), gnu::used]] static ::moult::internal::FaultPoint moult_fault_point{(point_name)}; \
    if (::moult::internal::fault_order.load(std::memory_order_relaxed) != nullptr) [[unlikely]]                       \
      ::moult::internal::reach_fault_point(moult_fault_point);                                                        \
  } while (false)
