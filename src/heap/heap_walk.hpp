// The walk over the heap of a stopped program, by a plan from its debug information.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "heap/container_memory.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/heap_walker.hpp"
#include "pools/address_set.hpp"
#include "pools/readable_memory.hpp"
#include "symbols/heap_plan.hpp"
#include "symbols/program.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// A contradiction between memory and its type.
enum class Oddity : std::uint8_t {
  unreadable,
  misaligned,
  no_vtable,
  another_class,
  undescribed,
  damaged,
  read_only,
};

/// An object of a wanted class.
struct FoundObject {
  void* object = nullptr;
  std::uint32_t wanted = 0;  ///< the class's number in the request
  std::uint32_t step = 0;    ///< the path to it
};

class HeapWalk final : public detail::OpaqueHeapWalk {
 public:
  /// `may_change[i]`: objects of the wanted class i in read-only memory are left out. `plan` must outlive the walk.
  HeapWalk(const HeapPlan& plan, std::vector<bool> may_change, const StoppedWorld& stopped);

  /// Finds all objects. Throws std::bad_alloc; Error: unsupported (too many steps), system.
  void run();
  const std::vector<FoundObject>& found() const noexcept { return found_; }
  std::vector<HeapRemark> oddities() const;

  HeapPath path_of(const FoundObject& found) const noexcept { return {*this, found.step}; }
  std::string text_of(std::uint32_t step) const;

 private:
  static constexpr std::uint32_t no_step = ~std::uint32_t{0};

  /// One step of the path to a value: the part or element of the type.
  struct Step {
    std::uint32_t previous = no_step;  ///< none: the root of that number
    std::uint32_t type = 0;
    std::uint64_t number = 0;
  };
  /// The path to a value, stored only when something is found on it.
  struct Way {
    Step step;
    std::uint32_t kept = no_step;  ///< its index in steps_, if stored
  };
  /// A value still to be examined.
  struct Task {
    std::uintptr_t address = 0;
    std::uint32_t type = 0;
    std::uint32_t step = 0;
  };
  struct Odd {
    std::size_t count = 0;
    std::string first;
  };

  const HeapType& type(std::size_t number) const noexcept { return plan_.types[number]; }
  Way way_from(Way& previous, std::size_t type_number, std::uint64_t number);
  std::uint32_t keep(Way& way);
  void note(Oddity kind, Way& way);
  void put_off(std::uintptr_t address, std::size_t type_number, Way& way);

  void go_on(const Task& task);
  void enter(std::uintptr_t address, std::size_t type_number, Way& way);
  void look_into_object(std::uintptr_t address, std::size_t type_number, Way& way);
  void look_into_elements(std::uintptr_t address, std::size_t type_number, Way& way);
  void follow(std::uintptr_t address, const HeapType& pointer, Way& way);
  void arrive(std::uintptr_t target, std::size_t type_number, Way& way);
  bool is_counted(std::uintptr_t address, const HeapType& pointer, Way& way);
  bool resolve(std::uintptr_t& target, std::size_t& type_number, Way& way);
  const HeapPart* base_at(std::size_t whole, std::uint64_t offset, std::size_t base) const;
  void visit(std::uintptr_t address, std::size_t type_number, Way& way);
  std::string step_text(const Step& step, std::size_t& place) const;

  const HeapPlan& plan_;
  std::vector<bool> may_change_;
  ReadableMemory memory_;
  AddressSet entered_;  ///< with the type's number
  AddressSet visited_;  ///< with the wanted class's number
  std::vector<Task> tasks_;
  std::vector<Step> steps_;
  std::vector<FoundObject> found_;
  std::vector<std::uintptr_t> elements_;  ///< of one container of nodes
  std::vector<ElementRun> runs_;          ///< of one of the others
  std::array<Odd, 7> odd_{};
};

/// In a stop, throws Error (unsupported) when `call` would read much debug information to plan a walk; `next_step` says
/// how to read it before the stop.
void require_short_walk(const std::string& call, const std::string& next_step);

/// The indices of the loaded modules with these file names or paths; the program itself if none is named. Throws Error:
/// not_found.
std::vector<std::size_t> find_modules(const Program& program, const std::vector<std::string>& names);

}  // namespace moult::internal
