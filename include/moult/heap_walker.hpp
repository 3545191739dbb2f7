// Objects that are found by walking over the heap: from the program's variables, through whatever holds them.
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
#include "moult/relinking.hpp"
#include "moult/update.hpp"

namespace moult::internal {
class HeapWalk;
}

#pragma GCC visibility push(default)
namespace moult {

/// The way on which an object was found: "cache.entries[3].second->owner". Good only while the walker's function runs.
class HeapPath final {
 public:
  /// Put together when it is asked for. The middle of a very long way is left out.
  std::string text() const;

 private:
  friend internal::HeapWalk;
  HeapPath(const detail::OpaqueHeapWalk& walk, std::uint32_t step) noexcept : walk_(&walk), step_(step) {}
  const detail::OpaqueHeapWalk* walk_;
  std::uint32_t step_;
};

namespace detail::inline MOULT_ABI_NAMESPACE {

/// What is to be done with the objects of one class.
struct HeapVisitor {
  const std::type_info* type = nullptr;
  std::size_t size = 0;         ///< bytes
  std::size_t alignment = 0;    ///< bytes
  const void* place = nullptr;  ///< an address in the module that knows the class so
  bool may_change = false;
  std::function<void(void* object, const HeapPath& path)> visit;
  std::function<void(void* object)> undo;  ///< may be empty
};

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// Which classes' objects are looked for, and what is done with each:
///
///     struct Renamer : moult::HeapWalker {
///       Renamer() {
///         on<app::Data>([this](app::Data& data) { data.name = "new"; ++count; });
///       }
///       int count = 0;
///     };
///
/// A function takes `T&`, and the object's HeapPath if it wants. It is called once for each object of class T, those
/// that are bases or members of others included, after the whole walk: the structure may be changed. An object that is
/// still to be visited must not be deleted or moved. It runs in the stopped program: it may allocate and must not wait
/// for another thread. After Pymoult's HeapWalker.
class HeapWalker {
 public:
  HeapWalker() = default;
  virtual ~HeapWalker() = default;
  HeapWalker(const HeapWalker&) = delete;
  HeapWalker& operator=(const HeapWalker&) = delete;

  /// on<const T> promises to change nothing: objects in read-only memory are visited too, and an update that only looks
  /// can be rolled back.
  template <class T, class Visit>
  [[gnu::visibility("hidden")]] void on(Visit visit) {
    add<T>(std::move(visit), {});
  }
  /// With `undo(T&)`, which takes back what `visit` did. It is called for each object visited, the last one first, when
  /// `visit` throws for another or a later step of the update throws; it does not throw.
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

/// Pointers and references, which unlike unique_ptr and shared_ptr do not say whether the object still lives.
enum class RawPointers { followed, ignored };

struct HeapTraversal {
  /// Whose variables the walk begins at: names of files ("app", "libcache.so.1") or paths. None: the program's own.
  std::vector<std::string> modules{};
  RawPointers raw_pointers = RawPointers::followed;
  /// Functions of which no call may be in progress: those that change what is walked over. A container that a thread
  /// was stopped in the middle of changing mostly shows it and is left out; it need not.
  std::vector<AnyFunction> quiescent{};
  /// How long a stop of traverse_heap's own may take to find every thread at a safe place.
  std::chrono::milliseconds timeout{1000};
};

/// Places of one kind.
struct HeapRemark {
  std::string what;  ///< in the plural: "void pointers"
  std::size_t count = 0;
  std::string first;  ///< the way to one of them
};

struct HeapSummary {
  std::size_t visited = 0;  ///< objects that the walker was given
  /// Behind which objects may be that were not found: void pointers, unions, types without a definition. Of each member
  /// of each type that is reached one place, however many objects there are.
  std::vector<HeapRemark> not_followed;
  /// What was not what its type says, and was left out: unreadable memory, containers whose parts disagree.
  std::vector<HeapRemark> skipped;

  /// "412 objects visited; not followed: 3 void pointers (first cache.user), ...".
  std::string text() const;
};

/// Finds all objects of the walker's classes that the modules' variables lead to, and gives each to the walker once.
///
/// Variables are global ones, static members and static variables of functions. The walk goes through members, bases,
/// arrays, pointers and references (to one object: how many lie behind it nobody knows), std::unique_ptr, shared_ptr,
/// weak_ptr, vector, array, deque, list, forward_list, map, set, their unordered and multi forms, optional, pair and
/// tuple. An object that has a vtable is walked over as what its vtable says. Cycles end. Not followed, and told in the
/// summary: thread-local variables, unions and std::variant, void pointers, std::function and std::any, arrays behind a
/// unique_ptr, types that no debug information defines. Other libraries' containers are classes like any other.
///
/// Types are told by the debug information of the loaded modules. It is read first, while the program runs, which takes
/// seconds for a big one; only the walk needs the program stopped, which it is for that unless an update's step has it
/// stopped already (reading then takes place in that stop: HeapTraversalUpdate avoids it).
///
/// Every pointer is checked to lead to readable memory. That an object still lives cannot be: a raw pointer that
/// dangles leads to whatever is there now, unless its class has virtual functions: that the object has a fitting vtable
/// is checked.
///
/// What the walker did is undone by its undo functions, no more. Once the program has gone on, an update whose
/// walker may change objects cannot be rolled back.
///
/// Throws Error: not_found (no such module, no debug information, a class that the program does not know),
/// layout_mismatch (the walker knows the class otherwise), invalid_argument (a walker that looks for nothing),
/// still_active, thread_unstoppable; what the walker's functions throw. After Pymoult's traverse_heap.
HeapSummary traverse_heap(HeapWalker& walker, const HeapTraversal& options = {});

/// traverse_heap as an update: what can be refused is refused while the program runs, and it waits until no function of
/// `options.quiescent` is active. What the summary says is among the update's warnings too.
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
  visitor.type = &typeid(T);
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
