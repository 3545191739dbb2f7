// Object quiescence: whether the objects of some classes can be changed now.
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
  /// `also` is further code that must not be active. Reads debug information, so not in a stopped program whose pause
  /// matters.
  explicit ObjectQuiescence(const std::vector<ClassName>& classes, std::span<const FunctionExtent> also = {});
  /// The same where `functions` are all code that must not be active: no debug information is read. Objects of
  /// subclasses in the classes' pools count, too.
  static ObjectQuiescence of_pools(const std::vector<ClassName>& classes, std::span<const FunctionExtent> functions);

  /// One probe. True leaves the program stopped by the current transaction; on false the transaction has the reason.
  bool check(const Patience& patience) const;
  /// Probes until the check passes, or patience has run out.
  bool wait(const Patience& patience) const;
  /// True while no module was loaded or unloaded since construction, so that all code of the classes is known.
  bool is_current() const;
  /// Throws Error (still_active) when check would return false.
  void require(const StoppedWorld& stopped) const;

 private:
  /// The classes' functions and own pools, or the given functions and all pools of the classes.
  enum class Code { of_the_classes, as_given };
  ObjectQuiescence(std::uint64_t modules, const Program& program, const std::vector<ClassName>& classes,
                   std::span<const FunctionExtent> functions, Code code);
  /// A thread that has destroyed an object and not released its slot.
  struct Releasing {
    ThreadId thread{};
  };
  using Obstacle = std::variant<Activity, Releasing, ObjectUnderConstruction>;
  std::vector<const Pool*> pools() const;
  std::optional<Obstacle> find(const StoppedWorld& stopped) const;
  std::optional<Obstacle> probe(const Patience& patience) const;
  static std::string describe(const Obstacle& obstacle);

  std::uint64_t modules_;  ///< at construction
  std::vector<ClassName> classes_;
  Code code_;
  std::vector<FunctionExtent> functions_;
  std::vector<CodeRange> code_ranges_;  ///< of the functions
  SlotRelease slot_release_;
};

}  // namespace moult::internal
