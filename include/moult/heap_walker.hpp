// Heap walks: objects found from the program's variables on, through the pointers and containers that hold them.
//
//   struct Renamer : moult::HeapWalker {
//     Renamer() {
//       on<app::Data>([this](app::Data& data) { data.name = "new"; ++count; });
//     }
//     int count = 0;
//   };
//   Renamer renamer;
//   moult::HeapSummary summary = moult::traverse_heap(renamer);   // in apply
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "moult/detail/caller.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/detail/type_of.hpp"
#include "moult/relinking.hpp"
#include "moult/update.hpp"

namespace moult::internal {
class HeapWalk;
}

#pragma GCC visibility push(default)
namespace moult {

/// The path to an object that was found: "cache.entries[3].second->owner". Valid only while the walker's function runs.
class HeapPath final {
 public:
  /// Composed on request. The middle of a very long path is omitted.
  std::string text() const;

 private:
  friend internal::HeapWalk;
  HeapPath(const detail::OpaqueHeapWalk& walk, std::uint32_t step) noexcept : walk_(&walk), step_(step) {}
  const detail::OpaqueHeapWalk* walk_;
  std::uint32_t step_;
};

namespace detail::inline MOULT_ABI_NAMESPACE {

/// The action for the objects of one class.
struct HeapVisitor {
  const std::type_info* type = nullptr;
  std::size_t size = 0;         ///< bytes
  std::size_t alignment = 0;    ///< bytes
  const void* place = nullptr;  ///< an address in the module whose definition of the class this is
  bool may_change = false;
  std::function<void(void* object, const HeapPath& path)> visit;
  std::function<void(void* object)> undo;  ///< may be empty
};

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// The classes to look for, and an action for each.
///
/// A function takes `T&`, and optionally the object's HeapPath. It is called once for each object of class T, bases and
/// members of other objects included, after the whole walk; so it may change the structure. It must not delete or move
/// an object that is still to be visited. It runs in the stopped program: it may allocate, but must not wait for
/// another thread. After Pymoult's HeapWalker.
class HeapWalker {
 public:
  HeapWalker() = default;
  virtual ~HeapWalker() = default;
  HeapWalker(const HeapWalker&) = delete;
  HeapWalker& operator=(const HeapWalker&) = delete;

  /// on<const T> promises to change nothing. Then objects in read-only memory are visited too, and an update that only
  /// looks can be rolled back.
  template <class T, class Visit>
  [[gnu::visibility("hidden")]] void on(Visit visit) {
    add<T>(std::move(visit), {});
  }
  /// With `undo(T&)`, which reverts what `visit` did. If `visit` throws for another object, or a later step of the
  /// update throws, it is called for each visited object, the last one first. It must not throw.
  template <class T, class Visit, class Undo>
  [[gnu::visibility("hidden")]] void on(Visit visit, Undo undo) {
    add<T>(std::move(visit), std::move(undo));
  }

  const std::vector<detail::HeapVisitor>& visitors() const noexcept { return visitors_; }

 private:
  template <class T, class Visit>
  [[gnu::visibility("hidden")]] void add(Visit visit, std::function<void(T&)> undo);

  std::vector<detail::HeapVisitor> visitors_;
};

/// Whether the walk follows pointers and references. Unlike unique_ptr and shared_ptr they do not guarantee that their
/// object lives.
enum class RawPointers { followed, ignored };

struct HeapTraversal {
  /// The modules whose variables the walk starts from: file names ("app", "libcache.so.1") or paths. Empty: the
  /// program.
  std::vector<std::string> modules{};
  RawPointers raw_pointers = RawPointers::followed;
  /// Functions that change the walked structures; no call of them may be in progress. A container that a thread was
  /// just changing mostly shows it and is skipped, but that is not certain.
  std::vector<AnyFunction> quiescent{};
  /// How long a stop of traverse_heap's own may take until every thread is at a safepoint.
  std::chrono::milliseconds timeout{1000};
};

/// A kind of place, and how often it occurred.
struct HeapRemark {
  std::string what;  ///< in the plural: "void pointers"
  std::size_t count = 0;
  std::string first;  ///< the path to one of them
};

struct HeapSummary {
  std::size_t visited = 0;  ///< objects that were given to the walker
  /// Places behind which there may be further objects: void pointers, unions, types without a definition. A member of a
  /// type counts once, however many objects of the type there are.
  std::vector<HeapRemark> not_followed;
  /// Places that contradict their type and were skipped: unreadable memory, containers whose parts disagree.
  std::vector<HeapRemark> skipped;

  /// "412 objects visited; not followed: 3 void pointers (first cache.user), ...".
  std::string text() const;
};

/// Finds every object of the walker's classes that is reachable from the modules' variables, and passes each to the
/// walker once.
///
/// Variables are globals, static members and static variables of functions. The walk follows members, bases, arrays,
/// pointers and references (to one object each), and of the standard library unique_ptr, shared_ptr, weak_ptr, vector,
/// array, deque, list, forward_list, map, set, their unordered and multi forms, optional, pair and tuple. An object
/// with a vtable is walked as the class of its vtable. Cycles end. Containers of other libraries are classes like any
/// other.
///
/// Not followed, and listed in the summary: thread-local variables, unions and std::variant, void pointers,
/// std::function and std::any, arrays behind a unique_ptr, and types without debug information.
///
/// The types come from the debug information of the loaded modules. It is read first, which takes seconds for a big
/// program, while the program runs; then the walk stops the program. If an update's step has stopped it already, both
/// happen in that stop: HeapTraversalUpdate avoids this.
///
/// The walk checks that every pointer leads to readable memory. It cannot check that an object lives: a dangling raw
/// pointer leads to whatever lies there now. Only for classes with virtual functions does the walk check that the
/// vtable fits.
///
/// Only the walker's undo functions undo what it did. Once the program has gone on, an update whose walker may change
/// objects cannot be rolled back. Passes on what the walker's functions throw. After Pymoult's traverse_heap.
///
/// not_found: no such module, no debug information, or a class that the program does not know
/// layout_mismatch: the walker knows the class with another layout
/// invalid_argument: a walker without classes
/// still_active: a function of `quiescent` is active
/// thread_unstoppable: a thread did not reach a safepoint in time
HeapSummary traverse_heap(HeapWalker& walker, const HeapTraversal& options = {});

/// traverse_heap as an update. prepare makes every check that can refuse, and the update waits until no function of
/// `options.quiescent` is active. The summary is among the update's warnings too.
class HeapTraversalUpdate : public Update {
 public:
  HeapTraversalUpdate(std::string name, std::shared_ptr<HeapWalker> walker, HeapTraversal options = {},
                      std::vector<ThreadId> threads = {});
  ~HeapTraversalUpdate() override;

  void prepare() override;
  bool wait_alterability() override;
  bool check_alterability() override;
  void apply() override;

  /// Empty before apply.
  const HeapSummary& summary() const noexcept;

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

template <class T, class Visit>
[[gnu::visibility("hidden")]] void HeapWalker::add(Visit visit, std::function<void(T&)> undo) {
  static_assert(std::is_class_v<T>, "objects of classes are looked for");
  constexpr bool takes_path = std::is_invocable_v<Visit&, T&, const HeapPath&>;
  static_assert(takes_path || std::is_invocable_v<Visit&, T&>,
                "the function takes T&, or const T& with on<const T>, and then, if it wants, const HeapPath&");
  detail::HeapVisitor visitor;
  visitor.type = &detail::type_of<T>();
  visitor.size = sizeof(T);
  visitor.alignment = alignof(T);
  visitor.place = &detail::this_module;
  visitor.may_change = !std::is_const_v<T>;
  visitor.visit = [visit = std::move(visit)](void* object, const HeapPath& path) mutable {
    if constexpr (takes_path)
      visit(*static_cast<T*>(object), path);
    else
      visit(*static_cast<T*>(object));
  };
  if (undo) visitor.undo = [undo = std::move(undo)](void* object) { undo(*static_cast<T*>(object)); };
  visitors_.push_back(std::move(visitor));
}

}  // namespace moult
#pragma GCC visibility pop
