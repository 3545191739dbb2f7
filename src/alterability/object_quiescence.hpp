// Whether the objects of some classes can be changed now: nobody is at work on one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "alterability/quiescence.hpp"
#include "alterability/slot_release.hpp"
#include "pools/under_construction.hpp"

namespace moult::internal {

class ObjectQuiescence final {
 public:
  /// `classes` as typeid, demangled, writes them; `also` is more code that must not be active. Reads debug information:
  /// not in a stopped program where the pause matters.
  explicit ObjectQuiescence(const std::vector<std::string>& classes, std::span<const FunctionExtent> also = {});

  /// One probe: true leaves the program stopped by the current transaction; otherwise the transaction says why not.
  bool check(const Patience& patience) const;
  /// Probes until it holds, or patience has run out.
  bool wait(const Patience& patience) const;
  /// No module has come or gone since it was made, so that it knows all code of the classes.
  bool is_current() const;
  /// Throws Error (still_active) where check would say no.
  void require(const StoppedWorld& stopped) const;

 private:
  ObjectQuiescence(std::uint64_t modules, const Program& program, const std::vector<std::string>& classes,
                   std::span<const FunctionExtent> also);
  /// Who keeps the objects from being changed.
  struct Releasing {
    ThreadId thread{};
  };
  using Obstacle = std::variant<Activity, Releasing, UnmadeObject>;
  std::vector<const Pool*> pools() const;
  std::optional<Obstacle> find(const StoppedWorld& stopped) const;
  std::optional<Obstacle> probe(const Patience& patience) const;
  static std::string describe(const Obstacle& obstacle);

  std::uint64_t modules_;  ///< as they were
  std::vector<std::string> classes_;
  std::vector<FunctionExtent> functions_;
  SlotRelease slot_release_;
};

}  // namespace moult::internal
