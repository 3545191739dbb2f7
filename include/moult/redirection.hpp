// Redirection of pointers: the program's pointers to one function or object are set to another.
//
//   moult::Pointers<int (*)(int)> handlers;   // in prepare: reads debug information
//   handlers.redirect(&twice, &thrice);       // in apply
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "moult/detail/caller.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/detail/type_of.hpp"
#include "moult/heap_walker.hpp"

#pragma GCC visibility push(default)
namespace moult {

struct PointerRedirection {
  /// The modules whose variables, and everything reachable from them, are searched: file names or paths. Empty: the
  /// program.
  std::vector<std::string> modules{};
  /// Whether the search follows pointers and references, which do not guarantee that their object lives.
  RawPointers raw_pointers = RawPointers::followed;
  /// How long a stop of its own may take until every thread is at a safepoint.
  std::chrono::milliseconds timeout{1000};
};

struct RedirectedPointers {
  std::size_t count = 0;
  std::vector<std::string> where;        ///< the paths to the first 100: "app::handlers[2].call"
  std::vector<HeapRemark> not_followed;  ///< places behind which there may be further pointers
};

namespace detail::inline MOULT_ABI_NAMESPACE {

/// The kind of pointers to look for.
struct PointerType {
  const std::type_info* type = nullptr;        ///< of the pointer
  const std::type_info* const_type = nullptr;  ///< of the same pointer to const; null for functions
  std::size_t size = 0;                        ///< bytes
};
std::shared_ptr<const OpaquePointerSearch> find_pointers(const PointerType& type, const PointerRedirection& options);
/// The targets are passed by the addresses of pointers that hold them.
RedirectedPointers redirect_pointer(const std::shared_ptr<const OpaquePointerSearch>& search, const void* old_target,
                                    const void* new_target, const PointerRedirection& options, Caller caller);

template <class T>
PointerType pointer_type() {
  // NOLINTNEXTLINE(bugprone-sizeof-expression): the pointer's own size is meant
  PointerType kind{&detail::type_of<T>(), nullptr, sizeof(T)};
  if constexpr (std::is_pointer_v<T>)
    if constexpr (std::is_object_v<std::remove_pointer_t<T>>)
      kind.const_type = &detail::type_of<std::add_const_t<std::remove_pointer_t<T>>*>();
  return kind;
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// The program's pointers of one type, for redirection: pointers to functions (callbacks, tables of handlers), to
/// objects, or to member functions.
///
/// The search finds pointers of exactly that type, or of the same type to const, by the debug information of variables
/// and members. It covers what traverse_heap covers: global, static and member variables of the modules, and the
/// objects, arrays and containers reachable from them. It leaves alone vtables; smart pointers, which own their target;
/// references; the contents of a std::function, a void pointer or a union; and pointers in stacks, registers and
/// thread-local variables. Calls in progress go on as they began.
///
/// To replace a function, prefer redefine_function, which reaches every call. Redirection is for changing only some
/// uses of a function, or a function that cannot be redefined.
template <class T>
requires std::is_pointer_v<T> || std::is_member_function_pointer_v<T>
class Pointers final {
  static_assert(!std::is_void_v<std::remove_pointer_t<T>>, "what a void pointer is one to nobody knows");

 public:
  /// Reads debug information, which takes seconds for a big program: in any thread, best while the program runs.
  /// Modules that are loaded later are not searched.
  ///
  /// not_found: no such module, or no debug information
  explicit Pointers(PointerRedirection options = {})
      : options_(std::move(options)), search_(detail::find_pointers(detail::pointer_type<T>(), options_)) {}

  /// Sets every pointer to `old_target` to `new_target`: all of them in one stop, or none. Stops the program unless it
  /// is stopped.
  ///
  /// Called from a step of an update, the change belongs to that update and is undone with it. A rollback searches for
  /// the pointers again, and is refused (unsupported) if one was changed since or is not found any more.
  ///
  /// not_found: no pointer holds the old target
  /// unsupported: one of the pointers lies in memory that cannot be written
  /// invalid_argument: the old target is null
  /// thread_unstoppable: a thread did not reach a safepoint in time
  [[gnu::visibility("hidden")]] RedirectedPointers redirect(T old_target, T new_target) const {
    return detail::redirect_pointer(search_, &old_target, &new_target, options_, {&detail::this_module});
  }

 private:
  PointerRedirection options_;
  std::shared_ptr<const detail::OpaquePointerSearch> search_;
};

/// Both at once; in a stop it is refused (unsupported) where there is much debug information to read. Pymoult planned
/// it and never had it.
template <class T>
[[gnu::visibility("hidden")]] RedirectedPointers redirect_pointer(T old_target, std::type_identity_t<T> new_target,
                                                                  const PointerRedirection& options = {}) {
  return Pointers<T>(options).redirect(old_target, new_target);
}

}  // namespace moult
#pragma GCC visibility pop
